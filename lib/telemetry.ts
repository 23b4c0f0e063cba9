import { refuse, text } from './checks.js'
import { ArgumentError, CapacityError } from './errors/index.js'
import { fromNative } from './native/codes.js'
import type { Session } from './session.js'
import { NOTE_BYTES_MAX, RECORD_BYTES, viewOf } from './telemetry/record.js'

const NOTES_BYTES_MIN = 24 + NOTE_BYTES_MAX

/** What every environment of the arena records while anybody observes. See docs/guides/telemetry.md. */
export interface Telemetry {
  /** Whether this governor observes. */
  readonly attached: boolean
  /**
   * Observes from now on: every environment of the arena records, until the last observer has detached, closed or died. Nothing if it
   * does already.
   *
   * @throws CapacityError if the arena was made with `capacity.telemetry: 0`; ClosedError
   */
  attach(): void
  detach(): void
  /**
   * Copies records of all environments into the buffer, 64 bytes each, as many as fit, and says how many; 0 when there are no more
   * for now. Those of one environment come in their order. The first call attaches.
   *
   * @throws ArgumentError if it is no typed array or DataView of at least 64 bytes; ClosedError
   */
  drain(buffer: ArrayBufferView): number
  /**
   * Copies notes, as `decodeNotes()` reads them, and says how many bytes. The first call attaches.
   *
   * @throws ArgumentError if it is no typed array or DataView of at least 4,120 bytes; ClosedError
   */
  drainNotes(buffer: ArrayBufferView): number
  /** What was overwritten before this governor drained it. */
  lost(): { records: number; notes: number }
  /** The names of numbers in records; numbers that no name has are left out. */
  names(ids: Iterable<number>): Map<number, string>
  /** The name of what a record is about; undefined when its place in the arena has been given to another since. */
  element(record: { readonly element: number; readonly generation: number }): string | undefined
  /** The number of a name, the same in every environment; 0 when the arena has no room for it. */
  intern(name: string): number
  /**
   * Leaves a note of up to 4,096 bytes for those who observe. False when nobody does, or the lane has no room for one of that length.
   *
   * @param kind a name
   */
  note(kind: string, bytes: Uint8Array): boolean
  /** What this environment times its records by: the CPU's counter, where it is invariant and the kernel goes by it too, or the system's monotonic clock. */
  clock: 'cpu' | 'monotonic'
}

export function noTelemetry(): CapacityError {
  return new CapacityError('this arena was made without room for telemetry: capacity.telemetry = 0 in open({ capacity })', {
    option: 'capacity.telemetry',
    limit: 0
  })
}

export function makeTelemetry(session: Session): Telemetry {
  return new SessionTelemetry(session)
}

class SessionTelemetry implements Telemetry {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  get attached(): boolean {
    return this.#session.reader !== 0
  }

  attach(): void {
    const session = this.#session
    session.mustBeJoined()
    if (session.reader !== 0) return
    if (session.binding.capacity.telemetry === 0) {
      throw noTelemetry()
    }
    session.reader = asked(session, () => session.binding.observe())
  }

  detach(): void {
    const session = this.#session
    if (session.reader === 0) return
    const { reader } = session
    session.reader = 0
    asked(session, () => session.binding.unobserve(reader))
  }

  drain(buffer: ArrayBufferView): number {
    const room = viewOf(buffer, RECORD_BYTES)
    this.attach()
    return asked(this.#session, ({ binding, reader }) => binding.drainRecords(reader, room))
  }

  drainNotes(buffer: ArrayBufferView): number {
    const room = viewOf(buffer, NOTES_BYTES_MIN)
    this.attach()
    return asked(this.#session, ({ binding, reader }) => binding.drainNotes(reader, room))
  }

  lost(): { records: number; notes: number } {
    const { binding, reader } = this.#session
    const [records, notes] = binding.recordsLost(reader)
    return { records, notes }
  }

  names(ids: Iterable<number>): Map<number, string> {
    const session = this.#session
    session.mustBeJoined()
    if (typeof (ids as Iterable<number> | null | undefined)?.[Symbol.iterator] !== 'function')
      throw refuse('ids', 'an iterable of numbers', ids)
    const names = new Map<number, string>()
    for (const id of ids) {
      if (typeof id !== 'number') throw refuse('ids', 'numbers', id)
      const name = asked(session, () => session.binding.nameOf(id))
      if (name !== undefined) names.set(id, name)
    }
    return names
  }

  element(record: { readonly element: number; readonly generation: number }): string | undefined {
    const session = this.#session
    session.mustBeJoined()
    if (typeof record !== 'object' || record === null) throw refuse('record', 'a record', record)
    const { element, generation } = record
    if (typeof element !== 'number' || typeof generation !== 'number') throw refuse('record', 'a record', record)
    return asked(session, () => session.binding.elementName(element, generation))
  }

  intern(name: string): number {
    const given = text(name, 'name')
    this.#session.mustBeJoined()
    return this.#session.waiting.names.of(given)
  }

  note(kind: string, bytes: Uint8Array): boolean {
    const name = text(kind, 'kind')
    const { byteLength } = viewOf(bytes, 0)
    if (byteLength > NOTE_BYTES_MAX) {
      throw new ArgumentError(`a note carries at most ${NOTE_BYTES_MAX} bytes, not ${byteLength}`, { option: 'bytes', given: bytes })
    }
    const session = this.#session
    session.mustBeJoined()
    return asked(session, () => session.binding.note(session.waiting.names.of(name), bytes))
  }

  get clock(): 'cpu' | 'monotonic' {
    return this.#session.binding.cpuCounter() ? 'cpu' : 'monotonic'
  }

  set clock(clock: 'cpu' | 'monotonic') {
    if (clock !== 'cpu' && clock !== 'monotonic') throw refuse('clock', "'cpu' or 'monotonic'", clock)
    this.#session.mustBeJoined()
    if (this.#session.binding.cpuCounter(clock === 'cpu') || clock === 'monotonic') return
    throw new ArgumentError('this machine has no counter of the CPU that can be relied on', { option: 'clock', given: clock })
  }
}

/** What the addon answers; what it throws, as an error of forelock. */
function asked<T>(session: Session, call: (session: Session) => T): T {
  try {
    return call(session)
  } catch (error) {
    throw fromNative(error, session.binding.name)
  }
}
