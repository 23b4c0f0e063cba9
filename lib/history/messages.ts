import type { PrivacyOptions } from '../access/privacy.js'
import * as errors from '../errors/index.js'
import { type ForelockError, isForelockError } from '../errors/index.js'
import type { StorePlace } from './place.js'
import type { RecordingTerms } from './recording.js'
import type { HistoryStore, Recovered } from './store.js'

/** What the thread of a recorder is started with. */
export interface RecorderThread {
  readonly arena: ({ readonly handle: string } | { readonly name: string; readonly dir?: string }) & { readonly privacy: PrivacyOptions }
  readonly place: StorePlace
  readonly terms: RecordingTerms
  /** {@link Told}, which either side may read at any time */
  readonly told: SharedArrayBuffer
}

/** Numbers that the thread tells without a message: none is worth waking the other thread for. */
export const enum Told {
  Active,
  Events,
  Runs,
  Actions,
  Lost,
  Buffered,
  Dropped,
  /** p99 of the delay of the caller's event loop, ms: told by the caller, NaN if it is not known */
  Delay,
  Length
}

/** The calls of a store that are answered later. */
export type StoreCall = Exclude<
  { [K in keyof HistoryStore]: HistoryStore[K] extends (...args: never) => Promise<unknown> ? K : never }[keyof HistoryStore],
  'close'
>

export type ToThread =
  | { readonly id: number; readonly call: 'drain' }
  | { readonly id: number; readonly call: 'stop' }
  | { readonly id: number; readonly call: StoreCall; readonly args: readonly unknown[] }
  | { readonly append: Parameters<HistoryStore['append']> }

export type FromThread =
  | { readonly event: 'waiting' }
  | { readonly event: 'begun'; readonly recovered: Recovered | null }
  | { readonly event: 'failed'; readonly error: PlainError }
  | { readonly event: 'degraded'; readonly error: PlainError | null }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: PlainError }

/** An error, as it can be sent: of its class only the name goes over. */
export interface PlainError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** of an error of forelock */
  readonly facts?: object
  /** of one of the system, or of a database */
  readonly code?: string
}

export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined }
  const { name, message, stack } = error
  const code = (error as { code?: unknown }).code
  return {
    name,
    message,
    stack,
    ...(isForelockError(error) && { facts: factsOf(error) }),
    ...(typeof code === 'string' && { code })
  }
}

/** Of a LoadError, the attempts hold errors again, of any kind. */
function factsOf({ facts }: ForelockError): object {
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [name, name === 'attempts' ? [] : typeof fact === 'function' ? undefined : fact])
  )
}

export function errorOf({ name, message, stack, facts, code }: PlainError): Error {
  const known = facts === undefined ? undefined : (errors as unknown as Record<string, new (message: string, facts: object) => Error>)[name]
  const error =
    known === undefined ? Object.assign(new Error(message), code === undefined ? {} : { code }) : new known(message, facts as object)
  if (stack !== undefined) error.stack = stack
  return error
}
