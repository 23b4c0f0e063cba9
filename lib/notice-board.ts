import type { Grant } from './grant.js'
import { isHeld } from './is-held.js'
import { Lock } from './lock.js'
import { AGENT_LOCK, agedBy, type Notice, type NoticeEvent, readNotice } from './notices.js'
import type { Session } from './session.js'
import { decodeNote, encodeNote } from './telemetry/json-note.js'
import { decodeNotes, type TelemetryNote } from './telemetry/record.js'
import { after } from './timer.js'
import { NS_PER_MS } from './units.js'

/** The kind of notes by which an agent tells. */
export const NOTICE_NOTE = 'forelock:notice'
/** ms between two looks at the notes while there is an agent: a look takes some microseconds, and a notice is about 300 ms or more. */
const READ_EVERY_MS = 25
/** ms between two looks whether there is one. */
const SEEK_EVERY_MS = 1_000
const NOTES_BYTES = 1 << 16

/** Whoever hears notices of a kind holds this lock, shared; it ends with its process. */
const hearersOf = (event: NoticeEvent) => `forelock:hears:${event}`

/** Tells all environments of the arena that listen, as far as anybody does. One too long for a note is not told. */
export function tellNotices(session: Session, notices: readonly Notice[]): void {
  if (!session.joined) return
  const events = new Set(notices.map(({ event }) => event))
  for (const event of events) if (!isHeld(session, hearersOf(event))) events.delete(event)
  write(
    session,
    notices.filter(({ event }) => events.has(event))
  )
}

function write(session: Session, notices: readonly Notice[]): void {
  if (notices.length === 0) return
  const bytes = encodeNote(notices)
  if (bytes !== undefined) {
    session.binding.note(session.waiting.names.of(NOTICE_NOTE), bytes)
  } else if (notices.length > 1) {
    const half = notices.length >> 1
    write(session, notices.slice(0, half))
    write(session, notices.slice(half))
  }
}

export interface NoticesHeard {
  readonly heard: number
  /** what they were about was over when they were read */
  readonly stale: number
  /** notes by somebody else under that name */
  readonly ignored: number
}

/** @param at ms on the arena's clock when it was told; its own times count from when it is heard */
export type NoticeListener = (notice: Notice, at: number) => void

const boards = new WeakMap<Session, NoticeBoard>()

/** One for a governor. */
export function noticeBoardOf(session: Session): NoticeBoard {
  let board = boards.get(session)
  if (board === undefined) {
    board = new NoticeBoard(session)
    boards.set(session, board)
  }
  return board
}

/**
 * What an agent of the arena tells, in whichever process it is. While nobody listens here nothing is done; while somebody does and there is no agent, a lock is
 * looked at once a second. An agent observes the arena anyhow, so that who reads beside it makes nobody record more.
 */
export class NoticeBoard {
  readonly #session: Session
  /** Another account on the same arena: what it holds keeps no close({ drain }) waiting. */
  readonly #own: Session
  readonly #listeners = new Map<NoticeEvent, Set<NoticeListener>>()
  readonly #grants = new Map<NoticeEvent, Grant>()
  #notes: Uint8Array | undefined
  /** number of its reader, 0 while it reads nothing */
  #reader = 0
  #sought = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | undefined
  #isLooking = false
  #counts = { heard: 0, stale: 0, ignored: 0 }

  constructor(session: Session) {
    this.#session = session
    this.#own = session.beside()
    session.leaving.push(() => this.#close())
  }

  status(): NoticesHeard {
    return { ...this.#counts }
  }

  /** Hears notices of a kind, until what it returns is called. */
  on(event: NoticeEvent, listener: NoticeListener): () => void {
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners)
    listeners.add(listener)
    try {
      if (this.#session.open) this.#listen(event)
    } catch (error) {
      listeners.delete(listener)
      throw error
    }
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#leave(event)
    }
  }

  #listen(event: NoticeEvent): void {
    // There is nobody who could write.
    if (this.#session.binding.capacity.telemetry === 0) return
    this.#register(event)
    if (this.#cancel === undefined && !this.#isLooking) this.#look()
  }

  /** Says that it listens. Whoever is at the lock just then keeps others from it for a moment: it is tried again at the next look. */
  #register(event: NoticeEvent): void {
    if (this.#grants.has(event)) return
    const lock = hearersOf(event)
    const grant = new Lock(this.#own, lock, undefined, lock).tryAcquire({ mode: 'shared' })
    if (grant !== null) this.#grants.set(event, grant)
  }

  #leave(event: NoticeEvent): void {
    this.#listeners.delete(event)
    this.#grants.get(event)?.release()
    this.#grants.delete(event)
    if (this.#listeners.size === 0) this.#stop()
  }

  #look(): void {
    const { binding, joined } = this.#session
    if (!joined || this.#listeners.size === 0) return
    // Who is told may end or begin to listen.
    this.#isLooking = true
    try {
      const now = binding.now() / NS_PER_MS
      if (now - this.#sought >= SEEK_EVERY_MS) this.#seek(now)
      if (this.#reader !== 0) this.#read()
    } catch (error) {
      this.#fail(error)
      return
    } finally {
      this.#isLooking = false
    }
    // Whoever was told may have been the last who listens.
    if (this.#listeners.size === 0) return
    this.#cancel = after(this.#session, this.#reader === 0 ? SEEK_EVERY_MS : READ_EVERY_MS, () => this.#look(), false)
  }

  /** Reads while there is an agent: who observes makes all others record. */
  #seek(now: number): void {
    const { binding } = this.#session
    this.#sought = now
    for (const event of this.#listeners.keys()) this.#register(event)
    const isThere = isHeld(this.#session, AGENT_LOCK)
    if (isThere && this.#reader === 0) this.#reader = binding.observe()
    if (!isThere) this.#unobserve()
  }

  #read(): void {
    const { binding, waiting } = this.#session
    const kind = waiting.names.of(NOTICE_NOTE)
    this.#notes ??= new Uint8Array(NOTES_BYTES)
    while (this.#reader !== 0) {
      const bytes = binding.drainNotes(this.#reader, this.#notes)
      if (bytes === 0) return
      const own = [...decodeNotes(this.#notes, bytes)].filter(note => note.kind === kind)
      for (const note of own) this.#hear(note)
    }
  }

  #hear({ time, bytes }: TelemetryNote): void {
    const now = this.#session.binding.now()
    // What says that it is of the future is of now.
    const age = Math.max(0, (now - time) / NS_PER_MS)
    const told = decodeNote(NOTICE_NOTE, NOTICE_NOTE, bytes)
    for (const one of Array.isArray(told) ? told : [undefined]) {
      const notice = readNotice(one)
      const fresh = notice === undefined ? undefined : agedBy(notice, age)
      this.#counts[notice === undefined ? 'ignored' : fresh === undefined ? 'stale' : 'heard']++
      if (fresh !== undefined) this.#pass(fresh, now / NS_PER_MS - age)
    }
  }

  /** One that throws keeps others and later notices from nobody. */
  #pass(notice: Notice, at: number): void {
    for (const listener of [...(this.#listeners.get(notice.event) ?? [])]) {
      try {
        listener(notice, at)
      } catch (error) {
        warn('A notice of the agent was not understood', error)
      }
    }
  }

  #unobserve(): void {
    const { binding, joined } = this.#session
    if (this.#reader !== 0 && joined) binding.unobserve(this.#reader)
    this.#reader = 0
  }

  #stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#sought = Number.NEGATIVE_INFINITY
    this.#unobserve()
  }

  #close(): void {
    this.#stop()
    for (const grant of this.#grants.values()) grant.release()
    this.#grants.clear()
    this.#listeners.clear()
    this.#own.open = false
    this.#own.joined = false
  }

  /** Nothing is thrown from a timer; and whoever waits for notices is not to wait in silence. */
  #fail(error: unknown): void {
    this.#stop()
    warn('Notices of the agent are heard no more', error)
  }
}

function warn(what: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error)
  process.emitWarning(`${what}: ${reason}`, { type: 'ForelockNoticesWarning', code: 'FORELOCK_NOTICES' })
}
