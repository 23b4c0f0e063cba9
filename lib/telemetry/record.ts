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
const KIND_MASK = 0xf
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
  const kind = view.getUint8(at + 19)
  return {
    time: long(view, at),
    event: EVENTS[view.getUint8(at + 16)] ?? 'unknown',
    kind: KINDS[kind & KIND_MASK] ?? 'unknown',
    element: view.getUint32(at + 8, true),
    generation: view.getUint32(at + 12, true),
    tier: view.getUint8(at + 17),
    outcome: OUTCOMES[view.getUint8(at + 18)] ?? 'unknown',
    participant: view.getUint16(at + 20, true),
    incarnation: view.getUint16(at + 22, true),
    workflow: view.getUint32(at + 24, true),
    tenant: view.getUint32(at + 28, true),
    client: view.getUint32(at + 32, true),
    plan: view.getUint32(at + 36, true),
    amount: view.getFloat64(at + 40, true),
    waited: long(view, at + 48),
    held: long(view, at + 56),
    coarse: (kind & COARSE) !== 0
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
