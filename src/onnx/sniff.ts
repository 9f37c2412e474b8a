interface Kind {
  what: string;
  hint?: string;
}

const exportHint =
  'Export the model to ONNX first, for example: optimum-cli export onnx --model FOLDER --task feature-extraction OUT';

/** Leading bytes of files people pass instead of an ONNX model. */
const signatures: readonly (Kind & { at?: number; bytes: string })[] = [
  { bytes: '\x89PNG', what: 'a PNG image' },
  { bytes: '\xff\xd8\xff', what: 'a JPEG image' },
  { bytes: '%PDF', what: 'a PDF document' },
  { bytes: 'GGUF', what: 'a GGUF file (llama.cpp)', hint: exportHint },
  { bytes: '\x89HDF', what: 'an HDF5 file (Keras weights)', hint: exportHint },
  { bytes: '\x1f\x8b', what: 'a gzip archive', hint: 'Unpack it first.' },
  { bytes: 'PK\x03\x04', what: 'a zip archive or PyTorch checkpoint', hint: exportHint },
  { bytes: '\x80\x02', what: 'a Python pickle or old PyTorch checkpoint', hint: exportHint },
  {
    at: 4,
    bytes: 'ORTM',
    what: "a model in ONNX Runtime's own .ort format",
    hint: 'Pass the .onnx file it was made from.',
  },
  { at: 4, bytes: 'TFL3', what: 'a TensorFlow Lite model', hint: exportHint },
  { at: 8, bytes: '{"', what: 'a safetensors file', hint: exportHint },
  {
    bytes: 'version https://git-lfs',
    what: 'a Git LFS pointer, not the file itself',
    hint: 'Fetch the real file: git lfs pull',
  },
];

/** What the bytes look like when they are something well known that is not ONNX. */
export function sniff(bytes: Uint8Array): Kind | undefined {
  const head = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  for (const signature of signatures) {
    if (head.startsWith(signature.bytes, signature.at ?? 0)) return signature;
  }
  const text = head.replace(/^\xef\xbb\xbf/, '').trimStart();
  if (/^<(!doctype|html|\?xml)/i.test(text)) {
    return { what: 'an HTML or XML page', hint: 'The download saved a web page; fetch the file itself.' };
  }
  if (/^[[{]/.test(text)) return { what: 'a JSON file' };
  const printable = [...head].every((char) => char >= ' ' || '\t\r\n'.includes(char));
  return printable ? { what: 'a text file' } : undefined;
}
