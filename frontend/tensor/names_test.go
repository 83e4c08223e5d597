package tensor_test

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The names of the Python array API standard 2024.12 and of PyTorch, and where
// they are in Go. docs/names.md is written from these tables.

// arrayAPI lists the standard's functions by chapter.
var arrayAPI = []struct{ chapter, names string }{
	{"creation", `arange asarray empty empty_like eye from_dlpack full full_like linspace meshgrid
		ones ones_like tril triu zeros zeros_like`},
	{"data types", `astype can_cast finfo iinfo isdtype result_type`},
	{"elementwise", `abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift
		bitwise_invert bitwise_or bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh
		divide equal exp expm1 floor floor_divide greater greater_equal hypot imag isfinite isinf
		isnan less less_equal log log1p log2 log10 logaddexp logical_and logical_not logical_or
		logical_xor maximum minimum multiply negative nextafter not_equal positive pow real
		reciprocal remainder round sign signbit sin sinh square sqrt subtract tan tanh trunc`},
	{"indexing", `take take_along_axis`},
	{"linear algebra", `matmul matrix_transpose tensordot vecdot`},
	{"linalg extension", `cholesky cross det diagonal eigh eigvalsh inv matmul matrix_norm
		matrix_power matrix_rank matrix_transpose outer pinv qr slogdet solve svd svdvals tensordot
		trace vecdot vector_norm`},
	{"manipulation", `broadcast_arrays broadcast_to concat expand_dims flip moveaxis permute_dims
		repeat reshape roll squeeze stack tile unstack`},
	{"searching", `argmax argmin count_nonzero nonzero searchsorted where`},
	{"sets", `unique_all unique_counts unique_inverse unique_values`},
	{"sorting", `argsort sort`},
	{"statistics", `cumulative_prod cumulative_sum max mean min prod std sum var`},
	{"utility", `all any diff`},
	{"array object", `dtype device mT ndim shape size T to_device`},
}

// pyTorch lists what PyTorch's users look for, beside what the standard has.
var pyTorch = []struct{ chapter, names string }{
	{"tensors", `view permute unsqueeze expand gather scatter scatter_add index_select index_add
		index_copy index_fill masked_fill masked_select topk narrow select split chunk unfold
		flatten clone item detach requires_grad backward grad zero_grad rot90 swapaxes diag
		repeat_interleave tensor_split one_hot lerp clamp fmod frac rsqrt sigmoid erf erfc lgamma
		logit nan_to_num isclose cumsum cumprod cummax cummin
		logcumsumexp logsumexp softmax log_softmax einsum`},
	{"in place", `add_ sub_ mul_ div_ pow_ fill_ copy_ zero_ clamp_ masked_fill_ scatter_
		scatter_add_ index_add_ index_copy_ index_fill_ neg_ exp_ sqrt_ abs_ relu_`},
	{"random", `rand randn randint randperm bernoulli multinomial dropout`},
	{"activations", `relu relu6 leaky_relu prelu elu celu selu gelu silu mish softplus softsign
		log_sigmoid hardsigmoid hardswish hardtanh tanhshrink softshrink hardshrink threshold
		softmin glu`},
	{"layers", `conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d max_pool1d
		max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices
		max_pool3d_with_indices max_unpool1d max_unpool2d max_unpool3d avg_pool1d avg_pool2d
		avg_pool3d adaptive_avg_pool1d
		adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d layer_norm rms_norm batch_norm
		group_norm instance_norm local_response_norm normalize cosine_similarity pad interpolate
		pixel_shuffle pixel_unshuffle fold scaled_dot_product_attention`},
}

// renamed has the Go names that the rule does not give.
var renamed = map[string]string{
	"asarray": "Of", "astype": "Cast", "bitwise_and": "And", "bitwise_or": "Or",
	"bitwise_xor": "Xor", "bitwise_invert": "Not", "bitwise_left_shift": "Shl",
	"bitwise_right_shift": "Shr", "divide": "Div", "equal": "Eq", "floor_divide": "FloorDiv",
	"greater": "Gt", "greater_equal": "Ge", "less": "Lt", "less_equal": "Le", "multiply": "Mul",
	"negative": "Neg", "not_equal": "Ne", "remainder": "Mod", "subtract": "Sub",
	"permute_dims": "Permute", "cumulative_prod": "CumProd", "cumulative_sum": "CumSum",
	"ndim": "Rank", "to_device": "To", "detach": "StopGradient", "repeat_interleave": "Repeat",
}

// words have capitals of their own inside Go names.
var words = []string{"isnan:IsNaN", "isinf:IsInf", "isfinite:IsFinite", "isdtype:IsDType",
	"dtype:DType", "argmax:ArgMax", "argmin:ArgMin", "argsort:ArgSort", "searchsorted:SearchSorted",
	"qr:QR", "svdvals:SVDVals", "svd:SVD", "slogdet:SLogDet", "logaddexp:LogAddExp",
	"matmul:MatMul", "mT:MT", "eigvalsh:EigValsh", "topk:TopK",
	"cumsum:CumSum", "cumprod:CumProd", "cummax:CumMax",
	"cummin:CumMin", "logcumsumexp:LogCumSumExp", "logsumexp:LogSumExp", "isclose:IsClose", "rms:RMS"}

// excepted says why a name is not there.
var excepted = map[string]string{
	"conj": "no complex numbers", "imag": "no complex numbers", "real": "no complex numbers",
	"from_dlpack": "DLPack is what -buildmode c-shared speaks: it needs cgo",
}

// goName is the rule: parts between underscores begin with a capital.
func goName(python string) string {
	if n, ok := renamed[python]; ok {
		return n
	}
	var b strings.Builder
	if base, ok := strings.CutSuffix(python, "_"); ok {
		return goName(base) + "_"
	}
	for part := range strings.SplitSeq(python, "_") {
		i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, part+":") })
		if i >= 0 {
			b.WriteString(words[i][len(part)+1:])
		} else if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// exported lists the exported functions and methods of the package in dir:
// methods of Tensor as Tensor.Name, functions as pkg.Name.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			switch {
			case !ok || !fn.Name.IsExported():
			case fn.Recv == nil:
				names[f.Name.Name+"."+fn.Name.Name] = true
			default:
				if id, ok := fn.Recv.List[0].Type.(*ast.Ident); ok && id.Name == "Tensor" {
					names["Tensor."+fn.Name.Name] = true
				}
			}
		}
	}
	return names
}

// TestNames looks for each name of the tables, and compares docs/names.md with
// what they say.
func TestNames(t *testing.T) {
	in := exported(t, ".")
	for name := range exported(t, "linalg") {
		in[name] = true
	}
	find := func(n string) string {
		for _, p := range []string{"Tensor.", "tensor.", "linalg."} {
			if in[p+n] {
				return p + n
			}
		}
		return ""
	}
	var b strings.Builder
	b.WriteString(namesHead)
	for _, table := range []struct {
		title    string
		chapters []struct{ chapter, names string }
	}{{"The Python array API standard, 2024.12", arrayAPI}, {"PyTorch", pyTorch}} {
		fmt.Fprintf(&b, "\n## %s\n", table.title)
		for _, c := range table.chapters {
			fmt.Fprintf(&b, "\n### %s\n\n| Python | Go |\n| --- | --- |\n", c.chapter)
			for _, name := range strings.Fields(c.names) {
				at := find(goName(name))
				if why := excepted[name]; why != "" {
					at = "no: " + why
				} else if at == "" {
					t.Errorf("%s: %s: no %s in packages tensor and linalg", c.chapter, name, goName(name))
				} else {
					at = "`" + at + "`"
				}
				fmt.Fprintf(&b, "| %s | %s |\n", name, at)
			}
		}
	}
	const page = "../../docs/names.md"
	if os.Getenv("TCC_UPDATE") != "" {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Error(page + " is out of date: TCC_UPDATE=1 go test -run TestNames ./frontend/tensor")
	}
}

const namesHead = `# Names of NumPy and PyTorch in Go

Written by TestNames of frontend/tensor, which fails where a name is missing.

The rule: parts between underscores begin with a capital, as in take_along_axis and
TakeAlongAxis; words that Go spells with capitals of their own have them (IsNaN, QR, MatMul).
A name is a method of tensor.Tensor, else a function of package tensor, else of
package tensor/linalg. The tables below show what the rule does not give: names that
Go's operators have (Eq, Shl), and those that PyTorch's users know.

Axes come before other arguments, and as variadic arguments where there may be several or
none. What NumPy has as keyword arguments are functional options: x.Sort(0, Descending()),
x.Reduce(Correction(1), KeepDims(true)).Var(0).
`

// used are the names that programs use most; each has an Example that runs.
const used = `Of FromSlice Zeros Full Eye Arange Linspace Randn Where Concat Einsum Slice Jit Data
	Item Tensor_Add Tensor_Div Tensor_MatMul Tensor_Sum Tensor_Max Tensor_Reduce Tensor_Index
	Tensor_Set Tensor_Reshape Tensor_Permute Tensor_Unsqueeze Tensor_Cast Tensor_Sort Tensor_TopK
	Tensor_Gather Tensor_Softmax Tensor_Conv2d Tensor_MaxPool2d Tensor_LayerNorm Tensor_Backward
	Tensor_Err`

// TestExamples looks for an Example of each of the names used, with an output
// that is compared.
func TestExamples(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "example_test.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	runs := map[string]bool{}
	for _, e := range doc.Examples(f) {
		runs[e.Name] = e.Output != ""
	}
	for _, name := range strings.Fields(used) {
		if !runs[name] {
			t.Errorf("no Example%s with an output", name)
		}
	}
}

// TestDocumented looks for exported identifiers without a comment, or, of
// functions, one that does not begin with the name, and for methods of
// interfaces.
func TestDocumented(t *testing.T) {
	for _, dir := range []string{".", "linalg", "native"} {
		pkgs, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range pkgs {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				for _, id := range undocumented(d) {
					t.Errorf("%v: %s has no comment", fset.Position(id.Pos()), id.Name)
				}
			}
		}
	}
}

// undocumented lists the exported names of a declaration without a comment of
// their own, or of the group they are in.
func undocumented(d ast.Decl) []*ast.Ident {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && ofExported(d) && !strings.HasPrefix(d.Doc.Text(), d.Name.Name+" ") {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		var out []*ast.Ident
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
					out = append(out, s.Name)
				}
				if i, ok := s.Type.(*ast.InterfaceType); ok && s.Name.IsExported() {
					out = append(out, bareMethods(i)...)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
						out = append(out, n)
					}
				}
			}
		}
		return out
	}
	return nil
}

// bareMethods lists the methods of an interface without a comment.
func bareMethods(i *ast.InterfaceType) (out []*ast.Ident) {
	for _, m := range i.Methods.List {
		if m.Doc == nil && m.Comment == nil && len(m.Names) > 0 {
			out = append(out, m.Names...)
		}
	}
	return out
}

// ofExported reports whether d is a function, or a method of an exported type.
func ofExported(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	id, ok := t.(*ast.Ident)
	return !ok || id.IsExported()
}
