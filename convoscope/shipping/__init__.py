"""One ONNX file that is the whole classifier, and the proof that it predicts what the run predicts."""
