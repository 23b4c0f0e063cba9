import type { Grant } from '../grant.js'
import { locks } from '../lock.js'
import { RequestBit } from '../native/binding.js'
import type { Session } from '../session.js'
import { type Terms, TIER_MASK } from '../terms.js'
import { Wait } from '../wait.js'
import { notSupported, ungranted } from './exceptions.js'
import { HeldLocks } from './held-locks.js'
import { LockNames } from './lock-names.js'
import { onAbort } from './on-abort.js'
import { Request } from './request.js'
import { abortReason, type ConvertedOptions, type GrantedCallback, isAborted } from './webidl.js'

const HYPHEN = 0x2d

/**
 * The lock requests of one governor: https://w3c.github.io/web-locks/#algorithm-request-lock on the arena. All are of the default tier,
 * so that their order is that of the calls. None belongs to the grants around it: the specification lets a deadlock
 * be, and a callback may well request its own lock without awaiting it.
 */
export class Requests {
  private readonly names: LockNames
  private readonly held: HeldLocks
  private readonly exclusive: Terms
  private readonly shared: Terms
  private readonly steal: Terms

  constructor(session: Session) {
    this.names = new LockNames(session)
    this.held = new HeldLocks(session)
    this.exclusive = session.plainTerms
    const tier = this.exclusive.request & TIER_MASK
    this.shared = { ...session.plainTerms, request: tier | RequestBit.Shared }
    this.steal = { ...session.plainTerms, request: tier | RequestBit.Steal }
  }

  /**
   * The method steps of `request()` behind its conversions: what the specification has rejected at once is thrown. When this
   * returns, the request is granted or queued.
   */
  request(name: string, options: ConvertedOptions, callback: GrantedCallback): Promise<unknown> {
    refuseUnsupported(name, options)
    const { signal } = options
    if (signal !== undefined && isAborted(signal)) throw abortReason(signal)
    const answer = this.enter(name, options)
    if (answer === null) return runWithoutLock(callback)
    const request = new Request(this.held, name, options.mode, callback, signal)
    if (answer instanceof Wait) void this.await(answer, request)
    else request.granted(answer)
    return request.promise
  }

  /** Null: the lock is not available, and the request will not wait for it. */
  private enter(name: string, options: ConvertedOptions): Grant | Wait | null {
    const lock = this.names.get(name)
    const terms = this.terms(options)
    try {
      return options.ifAvailable ? locks.attempt(lock, terms, undefined) : locks.enter(lock, terms, undefined, 0)
    } catch (error) {
      throw ungranted(error)
    }
  }

  private terms({ mode, steal }: ConvertedOptions): Terms {
    if (steal) return this.steal
    return mode === 'shared' ? this.shared : this.exclusive
  }

  private async await(wait: Wait, request: Request): Promise<void> {
    const stopListening = abortWith(request, wait)
    let grant: Grant
    try {
      grant = await wait.promise
    } catch (error) {
      return request.reject(ungranted(error))
    } finally {
      stopListening?.()
    }
    request.granted(grant)
    // A loss between the hand-off and now was announced to nobody.
    request.check()
  }
}

/** Lets the signal of a request end it while it waits. What a script has put in the place of the signal's own methods may throw. */
function abortWith(request: Request, wait: Wait): (() => void) | undefined {
  const { signal } = request
  if (signal === undefined) return undefined
  const end = (reason: unknown) => {
    request.reject(reason)
    wait.cancel(reason)
  }
  try {
    return onAbort(signal, () => end(abortReason(signal)))
  } catch (error) {
    end(error)
    return undefined
  }
}

function refuseUnsupported(name: string, { mode, ifAvailable, steal, signal }: ConvertedOptions): void {
  if (name.charCodeAt(0) === HYPHEN) throw notSupported('names of locks that start with - are reserved')
  if (steal && ifAvailable) throw notSupported('steal and ifAvailable exclude each other')
  if (steal && mode !== 'exclusive') throw notSupported('only an exclusive lock can be stolen')
  if (signal !== undefined && (steal || ifAvailable)) throw notSupported('signal excludes steal and ifAvailable')
}

/** What `ifAvailable` does where the lock is not. */
async function runWithoutLock(callback: GrantedCallback): Promise<unknown> {
  await undefined
  return callback(null)
}
