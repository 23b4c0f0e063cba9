import {
  ArgumentError,
  CapacityError,
  ClosedError,
  ConfigError,
  CorruptError,
  ExceedsError,
  ForelockError,
  ForkedError,
  InUseError,
  MemoryError,
  NameError,
  NotFoundError,
  OwnerError,
  RetiredError,
  UnsupportedError,
  VersionError
} from '../errors/index.js'
import { Code } from './binding.js'

/** What the message of a failed call can name. */
export interface Circumstances {
  /** the name that the call was about */
  readonly resource?: string
  /** of a family of buckets */
  readonly keys?: number
  readonly capacity?: { readonly elements: number; readonly waiters: number; readonly names: number; readonly memory: number }
}

/** The error that a negative answer of the addon stands for. */
export function failure(code: number, about: Circumstances = {}): ForelockError {
  switch (code) {
    case Code.Closed:
      return closed(about.resource)
    case Code.Corrupt:
      return corrupt(about.resource)
    case Code.NoElements:
      return full('elements', 'locks, buckets, pools, queues and names are in use at once', about)
    case Code.NoWaiters:
      return full('waiters', 'requests wait or hold in shared mode at once', about)
    case Code.NoNames:
      return full('names', 'long names are in use at once', about)
    case Code.NameTooLong:
      return tooLong(about.resource ?? '')
    case Code.OutOfMemory:
      return new MemoryError('there is no memory left behind the arena: its file system or the memory cgroup is full; nothing was lost', {})
    case Code.NoHeap:
      return full('memory', 'bytes of buckets, pools, queues and keyed buckets are wanted', about)
    case Code.TooMuch:
      return new ExceedsError(`${quote(about.resource ?? '')} can never give what was asked for`, {
        resource: about.resource ?? '',
        asked: undefined
      })
    case Code.NoKeys:
      return new CapacityError(
        `more keys of the buckets ${quote(about.resource ?? '')} are in debt at once than keys = ${about.keys} allows; raise it where they are made`,
        { option: 'keys', limit: about.keys ?? Number.NaN }
      )
    case Code.Retired:
      return retired()
    case Code.Forked:
      return new ForkedError('this process was forked without exec from one that had the arena open; open it again after exec', {})
    case Code.BadArgument:
      return new ArgumentError('the addon refused an argument', { option: 'unknown', given: undefined })
    default:
      return new CorruptError(`the addon answered ${code}, which no version of forelock does`, {})
  }
}

/** Whether an answer about a grant says no more than that the grant is gone. */
export function isGone(code: number): boolean {
  return code === Code.Lost || code === Code.Closed || code === Code.Retired || code === Code.Forked
}

export function closed(resource?: string): ClosedError {
  const what = resource === undefined ? '' : `${quote(resource)}: `
  return new ClosedError(`${what}the governor is closed`, { resource })
}

export function corrupt(resource?: string): CorruptError {
  const where = resource === undefined ? '' : ` at ${quote(resource)}`
  return new CorruptError(`the arena is damaged${where}: it holds what no version of forelock writes; close, unlink and open it anew`, {})
}

export function retired(): RetiredError {
  return new RetiredError('the arena was unlinked while in use; close this governor and open the name anew', {})
}

/** A name as it reads in a message. */
export function quote(name: string): string {
  return JSON.stringify(shorten(name))
}

function full(option: 'elements' | 'waiters' | 'names' | 'memory', what: string, about: Circumstances): CapacityError {
  const limit = about.capacity?.[option] ?? Number.NaN
  return new CapacityError(`more ${what} than capacity.${option} = ${limit} allows; raise it in open({ capacity })`, {
    option: `capacity.${option}`,
    limit
  })
}

function tooLong(name: string): NameError {
  return new NameError(`the name ${quote(name)} of ${name.length} UTF-16 code units is too long`, { resource: shorten(name) })
}

function shorten(name: string): string {
  return name.length > 100 ? `${name.slice(0, 99)}…` : name
}

/** The fields that errors thrown by the addon may carry. */
interface NativeError {
  readonly code?: unknown
  readonly message?: unknown
  readonly option?: unknown
  readonly stored?: unknown
  readonly given?: unknown
}

/** Turns an error thrown by the addon (an Error with `.code`) into its class; anything else comes back as it is. */
export function fromNative(error: unknown, resource: string): unknown {
  if (!(error instanceof Error) || error instanceof ForelockError) return error
  const { code, message, option, stored, given } = error as NativeError
  const said = typeof message === 'string' ? message : 'the addon failed'
  const facts = { option: typeof option === 'string' ? option : 'unknown', stored: fact(stored), given: fact(given) }
  switch (code) {
    case 'ERR_FORELOCK_ARGUMENT':
      return new ArgumentError(said, facts, error)
    case 'ERR_FORELOCK_CAPACITY':
      return new CapacityError(said, { option: facts.option, limit: Number(stored) }, error)
    case 'ERR_FORELOCK_CLOSED':
      return new ClosedError(said, { resource }, error)
    case 'ERR_FORELOCK_CONFIG':
      return new ConfigError(said, facts, error)
    case 'ERR_FORELOCK_CORRUPT':
      return new CorruptError(said, {}, error)
    case 'ERR_FORELOCK_FORKED':
      return new ForkedError(said, {}, error)
    case 'ERR_FORELOCK_IN_USE':
      return new InUseError(said, {}, error)
    case 'ERR_FORELOCK_MEMORY':
      return new MemoryError(said, {}, error)
    case 'ERR_FORELOCK_NAME':
      return new NameError(said, { resource }, error)
    case 'ERR_FORELOCK_NOT_FOUND':
      return new NotFoundError(said, { resource }, error)
    case 'ERR_FORELOCK_OWNER':
      return new OwnerError(said, {}, error)
    case 'ERR_FORELOCK_RETIRED':
      return new RetiredError(said, {}, error)
    case 'ERR_FORELOCK_UNSUPPORTED':
      return new UnsupportedError(said, {}, error)
    case 'ERR_FORELOCK_VERSION':
      return new VersionError(said, facts, error)
    default:
      return error
  }
}

/** The addon gives facts as text; those that are numbers read better as such. */
function fact(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
}
