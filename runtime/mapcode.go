package runtime

import "errors"

var errNoInvoke = errors.New("map code: this build cannot call machine code: " +
	"use an amd64 or arm64 build without the tag purego")
