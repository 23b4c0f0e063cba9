import { createHmac, timingSafeEqual } from 'node:crypto'
import { optionsObject, refuse } from '../checks.js'

const PREFIX = 'whsec_'
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const BYTES_MIN = 24
const BYTES_MAX = 64
const KEYS_MAX = 16
const DIGEST_BYTES = 32

/** The secrets that senders may sign with, each under a name, so that a new one can be given out before the old one goes. */
export class Secrets {
  // Out of reach of logs, which print what is private to the compiler alone.
  readonly #keys = new Map<string, Buffer>()

  /** @throws ArgumentError */
  constructor(given: unknown) {
    const entries = Object.entries(optionsObject(given, 'secrets') ?? {})
    if (entries.length === 0) throw refuse('secrets', 'an object with at least one secret by name', given === undefined ? given : 'none')
    for (const [name, secret] of entries) this.set(name, secret)
  }

  /** @throws ArgumentError */
  set(name: string, secret: unknown): void {
    if (typeof name !== 'string') throw refuse('key', 'a string', name)
    if (!this.#keys.has(name) && this.#keys.size >= KEYS_MAX) throw refuse('secrets', `at most ${KEYS_MAX} secrets`, this.#keys.size + 1)
    this.#keys.set(name, secretBytes(secret, `secrets[${JSON.stringify(name)}]`))
  }

  delete(name: string): boolean {
    return this.#keys.delete(name)
  }

  /**
   * The name of the secret that one of these signatures was made with. It takes the same time for every wrong one: each is compared with that of each secret, in
   * constant time.
   */
  signer(signatures: readonly Buffer[], content: readonly Uint8Array[]): string | undefined {
    let found: string | undefined
    for (const [name, key] of this.#keys) {
      const expected = hmac(key, content)
      for (const signature of signatures) if (timingSafeEqual(signature, expected)) found ??= name
    }
    return found
  }
}

/** HMAC-SHA-256 (RFC 2104). */
export function hmac(key: Uint8Array, content: readonly Uint8Array[]): Buffer {
  const sum = createHmac('sha256', key)
  for (const part of content) sum.update(part)
  return sum.digest()
}

/**
 * The bytes of a secret: of `whsec_` and base64, or as they are; 24 to 64. What was given stays out of the error, which may be logged.
 *
 * @throws ArgumentError
 */
export function secretBytes(secret: unknown, option: string): Buffer {
  const expected = `${PREFIX} and base64, or bytes, of ${BYTES_MIN} to ${BYTES_MAX} bytes`
  const bytes = typeof secret === 'string' ? ofText(secret) : secret instanceof Uint8Array ? Buffer.from(secret) : undefined
  if (bytes === undefined || bytes.length < BYTES_MIN || bytes.length > BYTES_MAX) throw refuse(option, expected, typeof secret)
  return bytes
}

function ofText(secret: string): Buffer | undefined {
  const text = secret.slice(PREFIX.length)
  return secret.startsWith(PREFIX) && BASE64.test(text) ? Buffer.from(text, 'base64') : undefined
}

/** Of a signature in base64: undefined, if it is none. */
export function digestOf(text: string): Buffer | undefined {
  const bytes = BASE64.test(text) ? Buffer.from(text, 'base64') : undefined
  return bytes?.length === DIGEST_BYTES ? bytes : undefined
}
