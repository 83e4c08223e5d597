package main

import (
	"encoding/json"
	"os"

	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/tensorcc/tcc/frontend/gosrc"
)

// This file makes go vet quick: it has the tool look for facts in all packages that a program
// depends on, the standard library's included, of which few use tcc.

// vetNothing reports whether a description of a package asks for facts alone, and there are none:
// neither the package nor one that it imports uses the DSL. It has then written that.
func vetNothing(file string) bool {
	data, err := os.ReadFile(file)
	if err != nil {
		return false // unitchecker says why
	}
	var c unitchecker.Config
	err = json.Unmarshal(data, &c)
	if err != nil || !c.VetxOnly || c.PackageFile[gosrc.TensorPath] != "" {
		return false
	}
	for _, facts := range c.PackageVetx {
		if info, err := os.Stat(facts); err != nil || info.Size() > 0 {
			return false
		}
	}
	return os.WriteFile(c.VetxOutput, nil, 0o600) == nil
}
