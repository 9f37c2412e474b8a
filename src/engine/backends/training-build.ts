/**
 * Where a build of ONNX Runtime with the training API is, as advice.
 * @param classifier of the Maven artifact: linux-x86_64, or linux-x86_64-gpu which has the CUDA provider too
 */
export function trainingBuild(classifier: 'linux-x86_64' | 'linux-x86_64-gpu'): string {
  return (
    'Take the libraries inside the jar of the Maven artifact org.bytedeco:onnxruntime:1.28.0-1.5.14, ' +
    `classifier ${classifier}. Unpack it and name its libonnxruntime.so.1 with --runtime or SESD_ONNXRUNTIME.`
  );
}
