import { refuse } from '../checks.js'
import { SignatureError } from '../errors/index.js'
import { digestOf, hmac, secretBytes } from './secrets.js'

/** The headers of a signed message. */
export interface SignatureHeaders {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

/** Headers as Node's http has them, or as fetch has them. */
export type HeadersLike = Readonly<Record<string, string | readonly string[] | undefined>> | { get(name: string): string | null }

/** What the headers say, before anything of it is believed. */
export interface Claim {
  readonly id: string
  /** ms since the Unix epoch */
  readonly signed: number
  readonly signatures: readonly Buffer[]
  /** what is signed before the body */
  readonly head: Buffer
}

const ID = /^[\x21-\x2d\x2f-\x7e]{1,256}$/ // printable, without the dot that parts it from the time
const SECONDS = /^\d{1,12}$/
const VERSION = 'v1'
/** More than anybody has secrets in use at once. */
const SIGNATURES_MAX = 16
const HEADER_UNITS_MAX = 4_096

/**
 * Headers for a message, as the Standard Webhooks specification 1.0.0 has them, so that any library for it can check, or make, them: HMAC-SHA-256
 * of `id.timestamp.body` in base64.
 *
 * @param id of this message: printable ASCII without dots and spaces, at most 256
 * @param time ms since the Unix epoch
 * @param secrets `whsec_…` or bytes; several while one takes the place of another
 * @throws ArgumentError
 */
export function signatureHeaders(
  id: string,
  time: number,
  body: Uint8Array | string,
  ...secrets: readonly (string | Uint8Array)[]
): SignatureHeaders {
  if (typeof id !== 'string' || !ID.test(id)) throw refuse('id', '1 to 256 printable ASCII characters without dots and spaces', id)
  if (typeof time !== 'number' || !(time >= 0 && time <= 8.64e15)) throw refuse('time', 'ms since the Unix epoch', time)
  if (secrets.length === 0) throw refuse('secrets', 'one or more', secrets.length)
  const timestamp = String(Math.floor(time / 1000))
  const content = [Buffer.from(`${id}.${timestamp}.`), bytesOf(body)]
  const signatures = secrets.map((secret, i) => `${VERSION},${hmac(secretBytes(secret, `secrets[${i}]`), content).toString('base64')}`)
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}

/** @throws ArgumentError */
export function bytesOf(body: unknown): Uint8Array {
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof Uint8Array) return body
  throw refuse('body', 'the bytes or the text that came, before it is parsed', body)
}

/** @throws SignatureError, ArgumentError */
export function readClaim(headers: HeadersLike): Claim {
  if (typeof headers !== 'object' || headers === null) throw refuse('headers', 'an object', headers)
  const [id, timestamp, line] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(name => header(headers, name)) as [
    string,
    string,
    string
  ]
  if (!ID.test(id)) throw malformed('webhook-id')
  if (!SECONDS.test(timestamp)) throw malformed('webhook-timestamp')
  const parts = line.split(' ')
  if (line.length > HEADER_UNITS_MAX || parts.length > SIGNATURES_MAX) throw malformed('webhook-signature')
  // Of other versions are those of senders that can do more.
  const signatures = parts.flatMap(part => {
    const [version, text] = part.split(',', 2)
    const digest = version === VERSION && text !== undefined ? digestOf(text) : undefined
    return digest === undefined ? [] : [digest]
  })
  if (signatures.length === 0) throw malformed('webhook-signature')
  return { id, signed: 1000 * Number(timestamp), signatures, head: Buffer.from(`${id}.${timestamp}.`) }
}

function header(headers: HeadersLike, name: string): string {
  const value = typeof headers.get === 'function' ? headers.get(name) : named(headers as Record<string, unknown>, name)
  if (value === undefined || value === null) throw new SignatureError(`the header ${name} is missing`, { reason: 'missing' })
  // One that came twice could be one that others read and one that is signed.
  if (typeof value !== 'string') throw malformed(name)
  return value
}

function named(headers: Record<string, unknown>, name: string): unknown {
  const keys = Object.keys(headers).filter(key => key.toLowerCase() === name)
  if (keys.length > 1) throw malformed(name)
  return keys[0] === undefined ? undefined : headers[keys[0]]
}

function malformed(name: string): SignatureError {
  return new SignatureError(`the header ${name} is not of the form that Standard Webhooks asks for`, { reason: 'malformed' })
}
