import { createHash } from 'node:crypto'

const DIGEST_BYTES = 32

/** Bytes of a saved model: what it is and of which version, the model, and a digest of both. */
export function seal(magic: string, model: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(magic), model])
  return Uint8Array.from(Buffer.concat([body, digest(body)]))
}

/** The model of what {@link seal} gave; undefined: it is damaged, or of another kind or version. */
export function unseal(magic: string, saved: Uint8Array): Uint8Array | undefined {
  if (!(saved instanceof Uint8Array)) return undefined
  const bytes = Buffer.from(saved)
  const body = bytes.subarray(0, -DIGEST_BYTES)
  const isWhole = body.toString('latin1', 0, magic.length) === magic && digest(body).equals(bytes.subarray(-DIGEST_BYTES))
  return isWhole ? Uint8Array.from(body.subarray(magic.length)) : undefined
}

/** As {@link seal}, of a value that JSON can say. */
export function sealValue(magic: string, value: unknown): Uint8Array {
  return seal(magic, Buffer.from(JSON.stringify(value)))
}

/** What {@link sealValue} was given; undefined as of {@link unseal}, or where it is no JSON. */
export function unsealValue(magic: string, saved: Uint8Array): unknown {
  const model = unseal(magic, saved)
  if (model === undefined) return undefined
  try {
    return JSON.parse(Buffer.from(model).toString())
  } catch {
    return undefined // it is refused like anything else that is not what was saved
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

export function isNumber(value: unknown): value is number {
  return Number.isFinite(value)
}

/** Puts saved numbers into their place. False: they are not as many finite ones, and nothing has changed. */
export function takeNumbers(saved: unknown, into: Float64Array): boolean {
  if (!Array.isArray(saved) || saved.length !== into.length || !saved.every(Number.isFinite)) return false
  into.set(saved)
  return true
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}
