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

/** The value of a saved JSON text; undefined: it is none. */
export function parsed(model: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(model).toString())
  } catch {
    return undefined // it is refused like anything else that is not what was saved
  }
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
