/**
 * IEEE 754 binary16 and bfloat16 to float32 and back. Bytes are little-endian and may be unaligned;
 * rounding is to nearest, ties to even, as numpy and PyTorch do it.
 */

let halfValues: Float32Array | undefined;

/** The float32 value of every binary16 bit pattern. */
function halfTable(): Float32Array {
  if (halfValues !== undefined) return halfValues;
  halfValues = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >>> 10) & 31;
    const fraction = bits & 1023;
    let magnitude: number;
    if (exponent === 0) magnitude = fraction * 2 ** -24;
    else if (exponent === 31) magnitude = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
    else magnitude = (1024 + fraction) * 2 ** (exponent - 25);
    halfValues[bits] = bits & 0x8000 ? -magnitude : magnitude;
  }
  return halfValues;
}

export function float16ToFloat32(bytes: Uint8Array): Float32Array {
  const table = halfTable();
  const values = new Float32Array(bytes.length >>> 1);
  for (let i = 0; i < values.length; i++) values[i] = table[bytes[2 * i]! | (bytes[2 * i + 1]! << 8)]!;
  return values;
}

export function bfloat16ToFloat32(bytes: Uint8Array): Float32Array {
  const bits = new Uint32Array(bytes.length >>> 1);
  for (let i = 0; i < bits.length; i++) bits[i] = (bytes[2 * i]! << 16) | (bytes[2 * i + 1]! << 24);
  return new Float32Array(bits.buffer);
}

/** Values beyond ±65504 become infinite. */
export function float32ToFloat16(values: Float32Array): Uint8Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint8Array(2 * values.length);
  for (let i = 0; i < bits.length; i++) {
    const half = roundToHalf(bits[i]!);
    halves[2 * i] = half;
    halves[2 * i + 1] = half >>> 8;
  }
  return halves;
}

function roundToHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to 65536 or more
  if (magnitude >= 0x38800000) {
    // Normal: re-bias the exponent, then round away 13 bits of the fraction.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  if (magnitude < 0x33000000) return sign; // below half the smallest subnormal
  // Subnormal: the fraction with its leading one, shifted to units of 2^-24.
  const shift = 126 - (magnitude >>> 23);
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const half = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return sign | (half + (rest > tie || (rest === tie && (half & 1) === 1) ? 1 : 0));
}

export function float32ToBfloat16(values: Float32Array): Uint8Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const brains = new Uint8Array(2 * values.length);
  for (let i = 0; i < bits.length; i++) {
    const float = bits[i]!;
    const notANumber = (float & 0x7fffffff) > 0x7f800000;
    const brain = notANumber ? (float >>> 16) | 0x40 : (float + 0x7fff + ((float >>> 16) & 1)) >>> 16;
    brains[2 * i] = brain;
    brains[2 * i + 1] = brain >>> 8;
  }
  return brains;
}
