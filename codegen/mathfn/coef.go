package mathfn

// Coefficients of polynomials, constant term first. They are minimax
// approximations of the function named, by its relative error in what it is
// used for: found by the Remez exchange algorithm (Remez 1934; Muller,
// Elementary Functions, 3rd ed. 2016, section 3.5) in 220-bit arithmetic, then
// rounded to the precision that the name tells.
var (
	// (e**r-1-r)/r**2 for |r| <= ln(2)/2; the error is 2**-31.9.
	exp32Coef = []float64{
		0x1.0000000000000p-1,
		0x1.5555540000000p-3,
		0x1.5554b00000000p-5,
		0x1.11118c0000000p-7,
		0x1.6d73440000000p-10,
		0x1.a02fca0000000p-13,
	}
	// (e**r-1-r)/r**2 for |r| <= ln(2)/2; the error is 2**-61.7.
	exp64Coef = []float64{
		0x1.0000000000000p-1,
		0x1.5555555555559p-3,
		0x1.555555555553ep-5,
		0x1.111111110f674p-7,
		0x1.6c16c16c1f283p-10,
		0x1.a01a01b001d74p-13,
		0x1.a01a017b5d1b9p-16,
		0x1.71ddf7fe9b0eep-19,
		0x1.27e53699af058p-22,
		0x1.af5f6814a1575p-26,
		0x1.1ee88c945c4a4p-29,
	}
	// (log(1+f)-f+f**2/2)/f**3 for sqrt(1/2) <= 1+f <= sqrt(2); the error is 2**-30.3.
	log32Coef = []float64{
		0x1.5555480000000p-2,
		-0x1.0000060000000p-2,
		0x1.99a4b40000000p-3,
		-0x1.555c480000000p-3,
		0x1.23378a0000000p-3,
		-0x1.fc22da0000000p-4,
		0x1.e6ef680000000p-4,
		-0x1.de371a0000000p-4,
		0x1.1453e40000000p-4,
	}
	// (tanh(x)-x)/x**3 in x**2 for |x| <= 0.56; the error is 2**-29.5.
	tanh32Coef = []float64{
		-0x1.5555480000000p-2,
		0x1.110c980000000p-3,
		-0x1.b90fc40000000p-5,
		0x1.5866b20000000p-6,
		-0x1.963de40000000p-8,
	}
	// (tanh(x)-x)/x**3 in x**2 for |x| <= 0.56; the error is 2**-65.1.
	tanh64Coef = []float64{
		-0x1.5555555555555p-2,
		0x1.1111111111086p-3,
		-0x1.ba1ba1ba1151cp-5,
		0x1.664f487facf9ap-6,
		-0x1.226e34d446ac7p-7,
		0x1.d6d3b1f69f48fp-9,
		-0x1.7da1138ccb65bp-10,
		0x1.3539ae9edbe5fp-11,
		-0x1.f3537e09ee5c4p-13,
		0x1.8903d4539c8ebp-14,
		-0x1.11a58e5029f09p-15,
		0x1.e6c1d1dc52887p-18,
	}
	// erf(x)/x-1 in x**2 for |x| <= 1+1/32; the error is 2**-28.9.
	erf32Coef = []float64{
		0x1.06eba80000000p-3,
		-0x1.81273c0000000p-2,
		0x1.ce2c6e0000000p-4,
		-0x1.b7ee080000000p-6,
		0x1.53a6140000000p-8,
		-0x1.a111f40000000p-11,
		0x1.4127c80000000p-14,
	}
	// erf(x)/x-1 in x**2 for |x| <= 1; the error is 2**-68.7.
	erf64Coef = []float64{
		0x1.06eba8214db69p-3,
		-0x1.812746b0379e7p-2,
		0x1.ce2f21a042bddp-4,
		-0x1.b82ce3128899bp-6,
		0x1.565bcd0e64ab7p-8,
		-0x1.c02db3fed8f80p-11,
		0x1.f9a326bfb75bep-14,
		-0x1.f4d255e14df28p-17,
		0x1.b9e64d0848067p-20,
		-0x1.5f6d6b576a093p-23,
		0x1.fc41177151f64p-27,
		-0x1.4e55ce581c798p-30,
		0x1.7ecc01248fdeep-34,
		-0x1.29290ab0873ddp-38,
	}
	// sqrt(erfc(x)) in x-2.46875 for 1+1/32 <= x <= 3.92; the error of its square is
	// 2**-26.6 of 1.
	erfc32Coef = []float64{
		0x1.672dcc0000000p-6,
		-0x1.db5da20000000p-5,
		0x1.1038a20000000p-4,
		-0x1.4bc12e0000000p-5,
		0x1.7693c60000000p-7,
		0x1.4a5e320000000p-10,
		-0x1.29b39e0000000p-9,
		0x1.4a23c60000000p-11,
		0x1.34ba960000000p-13,
		-0x1.5755ec0000000p-14,
		-0x1.7062240000000p-17,
	}
	// erfc(x)*e**(x*x) in t = (x-3)/(x+3) for 1 <= x <= 6; the error is 2**-68.9.
	erfc64Coef = []float64{
		0x1.6e9827d229d2cp-3,
		-0x1.4e102b9cf8521p-2,
		0x1.f6ff20410589cp-3,
		-0x1.336ffbef05bc8p-3,
		0x1.258b13b0a34a1p-4,
		-0x1.8fa58ea4e64dfp-6,
		0x1.17c838c10b86bp-8,
		0x1.730f814b983e8p-11,
		-0x1.390de2794c468p-11,
		0x1.79e0bda653763p-15,
		0x1.09d77e134e4edp-14,
		-0x1.e05a1a0aed13bp-17,
		-0x1.50577f6434202p-17,
		0x1.c8963580f2389p-22,
		0x1.84eb7b647f1d2p-21,
	}
	// (2*atanh(s)-2*s)/s**3 in z = s**2 for |s| <= (sqrt(2)-1)/(sqrt(2)+1); the error is 2**-66.7.
	log64Coef = []float64{
		0x1.5555555555555p-1,
		0x1.9999999999dfbp-2,
		0x1.249249242b843p-2,
		0x1.c71c7258b4e28p-3,
		0x1.745cde4ac91aap-3,
		0x1.3b20a82db2bb3p-3,
		0x1.0f5d10bdd25dap-3,
		0x1.0f60a9d5899cep-3,
	}
	// (atanh(s)/s-1-s**2/3)/s**4 in z = s**2, same range; the error is 2**-73.5.
	pow64Coef = []float64{
		0x1.9999999999996p-3,
		0x1.2492492493035p-3,
		0x1.c71c71c5805d1p-4,
		0x1.745d1832591f7p-4,
		0x1.3b1362b41d7cdp-4,
		0x1.1120b5f3659e6p-4,
		0x1.de33629cf6bd4p-5,
		0x1.eb119e6e60dd9p-5,
	}
	// (x-sin(x))/x**3 in x**2 for |x| <= 0.791; the error is 2**-27.8.
	sin32Coef = []float64{
		0x1.5555440000000p-3,
		-0x1.1106c60000000p-7,
		0x1.991c260000000p-13,
	}
	// (cos(x)-1+x**2/2)/x**4 in x**2 for |x| <= 0.791; the error is 2**-32.8.
	cos32Coef = []float64{
		0x1.55554a0000000p-5,
		-0x1.6c0c1c0000000p-10,
		0x1.99e23e0000000p-16,
	}
	// (x-tan(x))/x**3 in x**2 for |x| <= 0.791; the error is 2**-29.3.
	tan32Coef = []float64{
		-0x1.5555620000000p-2,
		-0x1.110d1a0000000p-3,
		-0x1.baf0da0000000p-5,
		-0x1.5bd2160000000p-6,
		-0x1.67a9940000000p-7,
		0x1.81bf940000000p-14,
		-0x1.24c9600000000p-8,
	}
	// (sin(x)-x)/x**3 in x**2 for |x| <= pi/4; the error is 2**-68.5.
	sin64Coef = []float64{
		-0x1.5555555555555p-3,
		0x1.111111111110ap-7,
		-0x1.a01a01a018826p-13,
		0x1.71de3a53010c9p-19,
		-0x1.ae64524f46bd5p-26,
		0x1.6120646eda518p-33,
		-0x1.aa8e6cd130611p-41,
	}
	// (cos(x)-1+x**2/2)/x**4 in x**2 for |x| <= pi/4; the error is 2**-74.7.
	cos64Coef = []float64{
		0x1.5555555555555p-5,
		-0x1.6c16c16c16c0ep-10,
		0x1.a01a01a018abep-16,
		-0x1.27e4fb75c8ce3p-22,
		0x1.1eed8c6a15339p-29,
		-0x1.9392f899e11c2p-37,
		0x1.aaa9a0e31d875p-45,
	}
	// (atan(x)-x)/x**3 in x**2 for |x| <= 1/2; the error is 2**-26.9.
	atan32Coef = []float64{
		-0x1.5555120000000p-2,
		0x1.997b540000000p-3,
		-0x1.224de20000000p-3,
		0x1.a0277e0000000p-4,
		-0x1.a476680000000p-5,
	}
	// (asin(x)-x)/x**3 in x**2 for |x| <= 1/2; the error is 2**-27.4.
	asin32Coef = []float64{
		0x1.5555c80000000p-3,
		0x1.3301e40000000p-4,
		0x1.747e4a0000000p-5,
		0x1.8c28440000000p-6,
		0x1.596d240000000p-5,
	}
	// (sinh(x)-x)/x**3 in x**2 for |x| <= 1; the error is 2**-27.5.
	sinh32Coef = []float64{
		0x1.5555560000000p-3,
		0x1.1111340000000p-7,
		0x1.9ffe920000000p-13,
		0x1.7a15b60000000p-19,
	}
	// (atan(x)-x)/x**3 in x**2 for |x| <= 7/16; the error is 2**-62.3.
	atan64Coef = []float64{
		-0x1.5555555555552p-2,
		0x1.9999999998f69p-3,
		-0x1.2492492442b14p-3,
		0x1.c71c71a01025bp-4,
		-0x1.745d11a55f97cp-4,
		0x1.3b132ca0c3587p-4,
		-0x1.1108e2b9539dbp-4,
		0x1.e1302fd6153d4p-5,
		-0x1.a9ed7a928133ap-5,
		0x1.6aebb28d78540p-5,
		-0x1.04fc0edd79453p-5,
		0x1.bef94d4dfb25ep-7,
	}
	// (asin(x)-x)/x**3 in x**2 for |x| <= 1/2; the error is 2**-63.8.
	asin64Coef = []float64{
		0x1.5555555555553p-3,
		0x1.3333333333a45p-4,
		0x1.6db6db6d48238p-5,
		0x1.f1c71ca879afcp-6,
		0x1.6e8b9ae9a62b2p-6,
		0x1.1c4f862457a86p-6,
		0x1.c980cd92223c1p-7,
		0x1.7ba4f76cd63a5p-7,
		0x1.36bd89897a595p-7,
		0x1.4824df4532c15p-7,
		0x1.5dc6a7c8a4443p-11,
		0x1.974ed78803886p-6,
		-0x1.ad2a2d93c0badp-6,
		0x1.13d38d63a4973p-5,
	}
	// (sinh(x)-x)/x**3 in x**2 for |x| <= 1; the error is 2**-73.8.
	sinh64Coef = []float64{
		0x1.5555555555555p-3,
		0x1.1111111111111p-7,
		0x1.a01a01a019fc1p-13,
		0x1.71de3a5573f78p-19,
		0x1.ae6456741b9efp-26,
		0x1.61246afa24c09p-33,
		0x1.ae756e9e835ffp-41,
		0x1.9a793f9b8780ap-49,
	}
)

// twoOverPi is the fraction 2/pi, 64 bits a word.
var twoOverPi = [19]uint64{
	0xa2f9836e4e441529,
	0xfc2757d1f534ddc0,
	0xdb6295993c439041,
	0xfe5163abdebbc561,
	0xb7246e3a424dd2e0,
	0x06492eea09d1921c,
	0xfe1deb1cb129a73e,
	0xe88235f52ebb4484,
	0xe99c7026b45f7e41,
	0x3991d639835339f4,
	0x9c845f8bbdf9283b,
	0x1ff897ffde05980f,
	0xef2f118b5a0a6d1f,
	0x6d367ecf27cb09b7,
	0x4f463f669e5fea2d,
	0x7527bac7ebe5f17b,
	0x3d0739f78a5292ea,
	0x6bfb5fb11f8d5d08,
	0x56033046fc7b6bab,
}
