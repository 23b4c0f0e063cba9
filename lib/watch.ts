import type { Element } from './element.js'
import { type ForelockError, StolenError, TtlError } from './errors/index.js'
import { At, Code, grantWord } from './native/binding.js'
import { closed, isGone, quote } from './native/codes.js'
import type { Watcher } from './native/waiting.js'

/** Tells the user of a grant, through an AbortSignal, that the grant was lost. Made only for grants that need one. */
export class Watch implements Watcher {
  lost = false
  private controller: AbortController | undefined = undefined

  constructor(
    private readonly element: Element,
    private readonly seq: number,
    private readonly waiter: number,
    /** ns on the arena clock before which the ttl cannot have ended; 0: no ttl */
    private readonly endsNotBefore: number
  ) {}

  get owner(): object {
    return this.element.session
  }

  /** The signal; from the first call on the grant is watched, if it is still held. */
  signal(held: boolean): AbortSignal {
    if (this.controller !== undefined) return this.controller.signal
    this.controller = new AbortController()
    if (held) this.start()
    else if (this.lost) this.controller.abort(this.reason())
    return this.controller.signal
  }

  check(): void {
    const code = askArena(this.element, this.seq, this.waiter)
    if (code === Code.Ok) return
    this.lose(isGone(code) ? undefined : this.element.session.failure(code, this.element.name))
  }

  close(): void {
    this.lose(closed(this.element.name))
  }

  /** The grant is gone. */
  lose(reason: ForelockError = this.reason()): void {
    if (this.lost) return
    this.lost = true
    this.stop()
    this.controller?.abort(reason)
  }

  /** The grant was released. */
  stop(): void {
    this.element.session.waiting.watched.delete(this)
  }

  /** A loss that fell before the first look at the signal is announced to nobody, hence the check. */
  private start(): void {
    const { session } = this.element
    session.waiting.watched.add(this)
    if (session.joined) this.check()
    else this.close()
  }

  private reason(): ForelockError {
    const { name, session } = this.element
    const facts = { resource: name, token: this.element.token(this.seq) }
    if (this.endsNotBefore > 0 && session.binding.now() >= this.endsNotBefore) {
      return new TtlError(`lock ${quote(name)} was held for longer than its ttl and has passed on`, facts)
    }
    return new StolenError(`lock ${quote(name)} was stolen by another request`, facts)
  }
}

/** What the arena says of a grant: Ok while it holds. */
export function askArena({ session, index }: Element, seq: number, waiter: number): number {
  const { binding, scratch } = session
  scratch[At.Index] = index
  scratch[At.SeqLow] = seq
  scratch[At.Grant] = grantWord(seq)
  scratch[At.Waiter] = waiter
  return binding.check()
}
