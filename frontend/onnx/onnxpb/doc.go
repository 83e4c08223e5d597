// Package onnxpb holds ONNX files as plain Go structs: model files (.onnx) and
// single values (.pb), read from and written to the protobuf wire format.
//
// It is the file layer below frontend/onnx, knows nothing of graphs of tcc, and
// imports nothing of it.
//
// A model file is mapped, not read: the weights (raw_data and the packed
// typed fields of a TensorProto) are slices into the mapping, valid until
// [File.Close]. All other data, names among them, is copied. External data is
// mapped in the same way and must lie inside the model's folder.
//
// Files are untrusted. Each length, offset, nesting depth and extent is
// checked before it is used, and what the decoder allocates is bounded by a
// multiple of the file's size (see [memoryFactor]). An error names the byte
// and the field: "byte 1207: graph.node[3].attribute[0].t: ...".
//
// Each message lists its fields once, in its fields method, which serves both
// directions (see codec). Fields that are not listed are skipped when reading
// and so lost when writing again.
package onnxpb
