/**
 * The Web IDL conversions that the Web Locks API needs, each by the algorithm of https://webidl.spec.whatwg.org/#js-type-mapping.
 * Every failure is a TypeError of this realm.
 */

export type LockMode = 'exclusive' | 'shared'

/** Dictionary `LockOptions`, as a caller gives it. */
export interface LockOptions {
  /** default `exclusive` */
  mode?: LockMode | undefined
  /** true: the callback is called with null instead of waiting */
  ifAvailable?: boolean | undefined
  /** true: the holders lose the lock, and this request gets it before all that wait */
  steal?: boolean | undefined
  /** aborts the request for as long as it is not granted */
  signal?: AbortSignal | undefined
}

/** Dictionary `LockOptions`, converted: defaults filled in. */
export interface ConvertedOptions {
  readonly mode: LockMode
  readonly ifAvailable: boolean
  readonly steal: boolean
  readonly signal: AbortSignal | undefined
}

/** Callback function `LockGrantedCallback`. */
export type GrantedCallback = (lock: unknown) => unknown

const DEFAULTS: ConvertedOptions = { mode: 'exclusive', ifAvailable: false, steal: false, signal: undefined }

/** `DOMString`: ToString, so a symbol is refused, and lone surrogates stay as they are. */
export function toDOMString(value: unknown): string {
  return typeof value === 'string' ? value : `${value as string}`
}

export function toCallback(value: unknown): GrantedCallback {
  if (typeof value !== 'function') throw new TypeError('the callback of a lock request must be a function')
  return value as GrantedCallback
}

/** Members are read in lexicographical order, each converted before the next is read. */
export function toLockOptions(value: unknown): ConvertedOptions {
  if (value === undefined || value === null) return DEFAULTS
  if (typeof value !== 'object' && typeof value !== 'function') throw new TypeError('the options of a lock request must be an object')
  const given = value as { readonly [Member in keyof LockOptions]: unknown }
  const ifAvailable = Boolean(given.ifAvailable)
  const mode = toMode(given.mode)
  const signal = toSignal(given.signal)
  const steal = Boolean(given.steal)
  return { mode, ifAvailable, steal, signal }
}

function toMode(value: unknown): LockMode {
  if (value === undefined) return 'exclusive'
  const mode = toDOMString(value)
  if (mode !== 'exclusive' && mode !== 'shared') throw new TypeError("the mode of a lock request must be 'exclusive' or 'shared'")
  return mode
}

function toSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined
  if (!isAbortSignal(value)) throw new TypeError('the signal of a lock request must be an AbortSignal')
  return value
}

const readAborted = getter('aborted')
const readReason = getter('reason')

/** Whether a signal is aborted, whatever properties a script put on the object itself. */
export function isAborted(signal: AbortSignal): boolean {
  return Reflect.apply(readAborted, signal, []) as boolean
}

export function abortReason(signal: AbortSignal): unknown {
  return Reflect.apply(readReason, signal, [])
}

/** Interface types accept platform objects only, and their getters alone can tell one: they throw for any other object. */
function isAbortSignal(value: unknown): value is AbortSignal {
  try {
    isAborted(value as AbortSignal)
    return true
  } catch {
    return false
  }
}

function getter(name: 'aborted' | 'reason'): () => unknown {
  return Object.getOwnPropertyDescriptor(AbortSignal.prototype, name)?.get as () => unknown
}
