import { count, onlyKnown, optionsObject, refuse } from '../checks.js'
import { CorruptError, ReplayError, SchemaError, SignatureError } from '../errors/index.js'
import { sealValue, unsealValue } from '../predict/saved.js'
import { Nonces } from './nonces.js'
import { type ReceivedEvent, readEvent } from './schema.js'
import { Secrets } from './secrets.js'
import { bytesOf, type HeadersLike, readClaim } from './signature.js'

export interface EventsOptions {
  /** what senders sign with, by names of your own: `whsec_` and base64, or 24 to 64 bytes; 16 secrets at most */
  secrets: Readonly<Record<string, string | Uint8Array>>
  /** ms that a signature may be old, or ahead of the clock here; default 300,000 */
  tolerance?: number | undefined
  /** bytes of a message at most; default 65,536 */
  bytes?: number | undefined
  /** ids that are kept, each for the tolerance; when there are more, nothing is accepted until some are out of it. Default 100,000 */
  ids?: number | undefined
  /** the time, ms since the Unix epoch; default that of the machine */
  now?: (() => number) | undefined
}

/** An event, and who says so. */
export interface AcceptedEvent extends ReceivedEvent {
  /** the name of the secret that it is signed with */
  readonly key: string
  /** id of the message: `webhook-id` */
  readonly message: string
  /** ms since the Unix epoch */
  readonly received: number
}

const TOLERANCE = 300_000
const BYTES = 65_536
const IDS = 100_000
const HOUR_MS = 3_600_000
const MAGIC = 'forelock events 1\n'

/**
 * Takes events from outside that are signed as the Standard Webhooks specification 1.0.0 asks for. A message is refused if it was changed, is
 * old, was accepted before, or says anything that an event has no field for.
 */
export class Events {
  private readonly secrets: Secrets
  private readonly tolerance: number
  private readonly bytes: number
  private readonly nonces: Nonces
  private readonly now: () => number

  /** @throws ArgumentError */
  constructor(options: EventsOptions) {
    const given = optionsObject(options, 'options') ?? {}
    onlyKnown(given, ['secrets', 'tolerance', 'bytes', 'ids', 'now'], 'Events')
    const { secrets, tolerance = TOLERANCE, bytes = BYTES, ids = IDS, now = Date.now } = given as EventsOptions
    if (typeof now !== 'function') throw refuse('now', 'a function', now)
    this.secrets = new Secrets(secrets)
    this.tolerance = count(tolerance, 'tolerance', 1_000, 24 * HOUR_MS)
    this.bytes = count(bytes, 'bytes', 2, 16 * 1024 * 1024)
    this.nonces = new Nonces(count(ids, 'ids', 1, 10_000_000), this.tolerance)
    this.now = now
  }

  /**
   * The event that a message says.
   *
   * @param rawBody what came, byte by byte: a body that was parsed and written again has another signature
   * @param headers of the request: `webhook-id`, `webhook-timestamp`, `webhook-signature`
   * @throws SignatureError; ReplayError; SchemaError; CapacityError (`events.ids`); ArgumentError if it is called wrongly
   */
  receive(rawBody: Uint8Array | string, headers: HeadersLike): AcceptedEvent {
    const body = bytesOf(rawBody)
    const given = body.length
    if (given > this.bytes) throw new SchemaError(`a message may have ${this.bytes} bytes, not ${given}`, { field: 'event', given })
    const { id, signed, signatures, head } = readClaim(headers)
    const key = this.secrets.signer(signatures, [head, body])
    if (key === undefined) throw new SignatureError('no secret gives this signature', { reason: 'mismatch' })
    const received = this.now()
    this.mustBeFresh(signed, received)
    if (this.nonces.has(id)) throw new ReplayError(`the message ${id} was accepted before`, { id })
    const event = readEvent(textOf(body))
    this.nonces.add(id, signed, received)
    return { ...event, key, message: id, received }
  }

  /**
   * Adds a secret, or puts another in the place of one: from now on messages signed with it are accepted.
   *
   * @throws ArgumentError
   */
  setSecret(key: string, secret: string | Uint8Array): void {
    this.secrets.set(key, secret)
  }

  /** Takes a secret back. False: there was none of this name. */
  deleteSecret(key: string): boolean {
    return this.secrets.delete(key)
  }

  /** The ids that were accepted, so that after a restart nothing is accepted again; no secrets. */
  save(): Uint8Array {
    return sealValue(MAGIC, this.nonces)
  }

  /**
   * Takes over the ids that were saved, beside those accepted since.
   *
   * @throws CorruptError if it is not what `save()` gave, and nothing has changed
   */
  load(saved: Uint8Array): void {
    const nonces = unsealValue(MAGIC, saved) as ReturnType<Nonces['toJSON']> | undefined
    if (nonces === undefined) throw new CorruptError('the saved ids of messages are damaged, or of another version', {})
    this.nonces.take(nonces.forgotten, nonces.seen)
  }

  private mustBeFresh(signed: number, now: number): void {
    const isFresh = Math.abs(now - signed) <= this.tolerance && this.nonces.remembers(signed)
    if (!isFresh) {
      const age = Math.round((now - signed) / 1000)
      const when = age < 0 ? `${-age} s ahead of` : `${age} s ago by`
      throw new SignatureError(`signed ${when} the clock here, which is too far from now`, { reason: 'timestamp' })
    }
  }
}

function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (error) {
    throw new SchemaError('the event must be JSON in UTF-8', { field: 'event', given: body.length }, error)
  }
}
