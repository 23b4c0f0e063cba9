import { count, refuse } from '../checks.js'

/** Bytes of one record; see docs/guides/telemetry.md for the table. */
export const RECORD_BYTES = 64
/** Bytes that one note can carry. */
export const NOTE_BYTES_MAX = 4096

const EVENTS = ['unknown', 'request', 'grant', 'refusal', 'end', 'abort', 'reclaim', 'plan'] as const
const OUTCOMES = [
  'success',
  'ignored',
  'dropped',
  'lost',
  'busy',
  'timeout',
  'deadlock',
  'failed',
  'never',
  'died',
  'expired',
  'stolen'
] as const
export const KINDS = ['lock', 'bucket', 'pool', 'queue', 'keyed', 'name', 'room'] as const
export type Kind = (typeof KINDS)[number] | 'unknown'

const HIGH_UNIT = 2 ** 32
const HALF_UNIT = 2 ** 16
const HALF_BITS = 16
const LOW_HALF = HALF_UNIT - 1
const KIND_MASK = 0xf
const SHARED = 0x40
const COARSE = 0x80
const NOTE_HEAD_BYTES = 24

/** One event, as some environment of the arena recorded it. Times in nanoseconds on the arena's clock. */
export interface TelemetryRecord {
  readonly time: number
  readonly event: (typeof EVENTS)[number]
  readonly kind: Kind
  /** what it was about: number and generation of its place in the arena */
  readonly element: number
  readonly generation: number
  /** index of the tier, lowest first */
  readonly tier: number
  readonly outcome: (typeof OUTCOMES)[number] | 'unknown'
  /** the environment: its place in the arena, and the lower 16 bits of how often that was taken */
  readonly participant: number
  readonly incarnation: number
  /** numbers of names, 0 none: `gov.telemetry.names()` */
  readonly workflow: number
  readonly tenant: number
  readonly client: number
  readonly plan: number
  readonly amount: number
  readonly waited: number
  readonly held: number
  /** of a lock: asked for, or had, beside others. Not said of a reclaim, nor of an end that is `coarse` */
  readonly shared: boolean
  /** `held` is known to 4 ms only, or not at all (0) */
  readonly coarse: boolean
}

/** A variable record. */
export interface TelemetryNote {
  readonly time: number
  /** number of a name: what {@link Telemetry.note} was told */
  readonly kind: number
  readonly participant: number
  /** on the buffer that it was drained into */
  readonly bytes: Uint8Array
}

/**
 * Reads one record, at a byte offset of what `drain()` filled. Any bytes give a record: words that this version does not know become
 * `unknown`.
 *
 * @throws ArgumentError if the 64 bytes are not there
 */
export function decodeRecord(buffer: ArrayBufferView, at = 0): TelemetryRecord {
  const view = viewOf(buffer, RECORD_BYTES)
  count(at, 'at', 0, view.byteLength - RECORD_BYTES)
  return readRecord(view, at, blankRecord())
}

/** A record to read into: for those who read so many that an object for each would show. */
export type RecordFields = { -readonly [F in keyof TelemetryRecord]: TelemetryRecord[F] }

export function blankRecord(): RecordFields {
  return {
    time: 0,
    event: 'unknown',
    kind: 'unknown',
    element: 0,
    generation: 0,
    tier: 0,
    outcome: 'unknown',
    participant: 0,
    incarnation: 0,
    workflow: 0,
    tenant: 0,
    client: 0,
    plan: 0,
    amount: 0,
    waited: 0,
    held: 0,
    shared: false,
    coarse: false
  }
}

/** As {@link decodeRecord}, of 64 bytes that are there. */
export function readRecord(view: DataView, at: number, into: RecordFields): RecordFields {
  const kind = view.getUint8(at + 19)
  into.time = long(view, at)
  into.element = view.getUint32(at + 8, true)
  into.generation = view.getUint32(at + 12, true)
  into.event = EVENTS[view.getUint8(at + 16)] ?? 'unknown'
  into.tier = view.getUint8(at + 17)
  into.outcome = OUTCOMES[view.getUint8(at + 18)] ?? 'unknown'
  into.kind = KINDS[kind & KIND_MASK] ?? 'unknown'
  into.shared = (kind & SHARED) !== 0
  into.coarse = (kind & COARSE) !== 0
  into.participant = view.getUint16(at + 20, true)
  into.incarnation = view.getUint16(at + 22, true)
  into.workflow = view.getUint32(at + 24, true)
  into.tenant = view.getUint32(at + 28, true)
  into.client = view.getUint32(at + 32, true)
  into.plan = view.getUint32(at + 36, true)
  into.amount = view.getFloat64(at + 40, true)
  into.waited = long(view, at + 48)
  into.held = long(view, at + 56)
  return into
}

/** Records where they lie, each by its place and what is asked of it alone: for those who read so many that to copy them would show. As {@link decodeRecord} reads them. */
export class RecordTable {
  readonly #bytes: Uint8Array
  readonly #words: Uint32Array
  readonly #doubles: Float64Array

  /** @param bytes whole records, at a multiple of 8 */
  constructor(bytes: Uint8Array) {
    const { buffer, byteOffset, length } = bytes
    this.#bytes = bytes
    this.#words = new Uint32Array(buffer, byteOffset, length / Uint32Array.BYTES_PER_ELEMENT)
    this.#doubles = new Float64Array(buffer, byteOffset, length / Float64Array.BYTES_PER_ELEMENT)
  }

  time(place: number): number {
    return this.#long(place, 0)
  }

  element(place: number): number {
    return this.#word(place, 2)
  }

  generation(place: number): number {
    return this.#word(place, 3)
  }

  event(place: number): TelemetryRecord['event'] {
    return EVENTS[this.#byte(place, 16)] ?? 'unknown'
  }

  tier(place: number): number {
    return this.#byte(place, 17)
  }

  outcome(place: number): TelemetryRecord['outcome'] {
    return OUTCOMES[this.#byte(place, 18)] ?? 'unknown'
  }

  kind(place: number): Kind {
    return KINDS[this.kindNumber(place)] ?? 'unknown'
  }

  /** Of its kind, known or not: below 16. */
  kindNumber(place: number): number {
    return this.#byte(place, 19) & KIND_MASK
  }

  shared(place: number): boolean {
    return (this.#byte(place, 19) & SHARED) !== 0
  }

  /** Participant and incarnation, as one number. */
  environment(place: number): number {
    const word = this.#word(place, 5)
    return (word & LOW_HALF) * HALF_UNIT + (word >>> HALF_BITS)
  }

  workflow(place: number): number {
    return this.#word(place, 6)
  }

  tenant(place: number): number {
    return this.#word(place, 7)
  }

  client(place: number): number {
    return this.#word(place, 8)
  }

  amount(place: number): number {
    return this.#doubles[(RECORD_BYTES / 8) * place + 5] as number
  }

  waited(place: number): number {
    return this.#long(place, 12)
  }

  held(place: number): number {
    return this.#long(place, 14)
  }

  #byte(place: number, at: number): number {
    return this.#bytes[RECORD_BYTES * place + at] as number
  }

  #word(place: number, at: number): number {
    return this.#words[(RECORD_BYTES / 4) * place + at] as number
  }

  #long(place: number, at: number): number {
    return this.#word(place, at + 1) * HIGH_UNIT + this.#word(place, at)
  }
}

/** The notes among the first bytes of what `drainNotes()` filled. What is no note ends them. */
export function* decodeNotes(buffer: ArrayBufferView, bytes: number): Generator<TelemetryNote> {
  const view = viewOf(buffer, 0)
  count(bytes, 'bytes', 0, view.byteLength)
  for (let at = 0; at + NOTE_HEAD_BYTES <= bytes; ) {
    const length = view.getUint32(at, true)
    const from = at + NOTE_HEAD_BYTES
    if (length > NOTE_BYTES_MAX || from + length > bytes) return
    yield {
      time: long(view, at + 8),
      kind: view.getUint32(at + 4, true),
      participant: view.getUint32(at + 16, true),
      bytes: new Uint8Array(view.buffer, view.byteOffset + from, length)
    }
    at = from + Math.ceil(length / 8) * 8
  }
}

/** @throws ArgumentError if it is no view of at least so many bytes; one of a detached buffer has none */
export function viewOf(buffer: unknown, bytes: number): DataView {
  if (ArrayBuffer.isView(buffer)) {
    try {
      const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
      if (view.byteLength >= bytes) return view
    } catch {
      // Detached, or its own idea of where it lies: refused as what is too short.
    }
  }
  throw refuse('buffer', `a typed array or DataView of at least ${bytes} bytes`, buffer)
}

/** 64 bits as a number: exact up to 2^53 ns, 104 days, and to a microsecond beyond. */
function long(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * HIGH_UNIT + view.getUint32(at, true)
}
