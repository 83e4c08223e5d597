package tensor_test
import _ "github.com/tensorcc/tcc/frontend/tensor/native"
