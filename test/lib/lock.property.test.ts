import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Grant, isForelockError, type LockMode, type LockRequest } from '../../lib/index.js'
import { macrotask, virtual } from './support.js'

const SEEDS = 30
const STEPS = 300

/** A linear congruential generator: the same numbers for a seed everywhere. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

interface Asked {
  readonly order: number
  readonly tier: number
  readonly mode: LockMode
  readonly request: LockRequest
  isPlain: boolean
}

/** One lock, driven at random; what it does is checked against what a lock is. */
class Drive {
  readonly gov = virtual({ ageing: 0 })
  readonly lock = this.gov.lock('a')
  readonly holders = new Map<Grant, Asked | undefined>()
  readonly waiting = new Set<Asked>()
  readonly outcomes: Promise<unknown>[] = []
  /** largest token of an exclusive grant, and of any grant that was released */
  lastExclusive = -1n
  lastReleased = -1n
  asked = 0
  settled = 0

  constructor(private readonly random: (below: number) => number) {}

  step(): void {
    const action = this.random(10)
    if (action < 4) this.ask()
    else if (action < 8) this.release()
    else if (action === 8) this.change()
    else this.gov.advance(this.random(5))
  }

  async end(): Promise<void> {
    while (this.waiting.size > 0 || this.holders.size > 0) {
      this.release()
      await macrotask()
    }
    await Promise.all(this.outcomes)
    assert.is(this.settled, this.outcomes.length)
    assert.equal(this.gov.inspect(), [])
  }

  private ask(): void {
    const mode: LockMode = this.random(3) === 0 ? 'shared' : 'exclusive'
    const tier = this.random(4)
    const options = { mode, tier: this.gov.tiers[tier] }
    if (this.random(5) === 0) {
      const grant = this.lock.tryAcquire(options)
      if (grant !== null) this.granted(grant, undefined)
      else assert.ok(this.holders.size > 0 || this.waiting.size > 0, 'refused while nobody holds or waits')
      return
    }
    const waitTimeout = this.random(4) === 0 ? this.random(20) + 1 : Number.POSITIVE_INFINITY
    const request = this.lock.request({ ...options, waitTimeout })
    const asked: Asked = { order: this.asked++, tier, mode, request, isPlain: true }
    this.waiting.add(asked)
    this.outcomes.push(
      request.granted.then(
        grant => this.granted(grant, asked),
        error => this.refused(error, asked)
      )
    )
  }

  private granted(grant: Grant, asked: Asked | undefined): void {
    this.settled += asked === undefined ? 0 : 1
    const held = [...this.holders.keys()]
    assert.ok(
      held.length === 0 || (grant.mode === 'shared' && held.every(other => other.mode === 'shared')),
      'an exclusive lock is held by two'
    )
    // Shared grants of one moment may be seen in another order than they were given in.
    const before = grant.mode === 'exclusive' ? this.lastReleased : this.lastExclusive
    assert.ok(grant.token > before, 'a token did not grow')
    if (grant.mode === 'exclusive') this.lastExclusive = grant.token
    if (asked !== undefined) {
      this.waiting.delete(asked)
      for (const other of this.waiting) this.mustNotPrecede(other, asked)
    }
    this.holders.set(grant, asked)
  }

  /** What has not been touched since it was asked for keeps its order: by tier, then by arrival. */
  private mustNotPrecede(waits: Asked, granted: Asked): void {
    if (!waits.isPlain || !granted.isPlain) return
    // A shared one behind joins those that hold: it is granted in the same breath, but its reaction may come later.
    if (waits.mode === 'shared' && granted.mode === 'shared') return
    assert.not.ok(
      waits.tier === granted.tier && waits.order < granted.order,
      `${granted.order} was served before ${waits.order} of its tier`
    )
  }

  private refused(error: unknown, asked: Asked): void {
    this.settled++
    this.waiting.delete(asked)
    assert.ok(error === 'aborted' || isForelockError(error, 'ERR_FORELOCK_TIMEOUT'), String(error))
  }

  private release(): void {
    const grants = [...this.holders.keys()]
    const grant = grants[this.random(grants.length)]
    if (grant === undefined) return
    this.holders.delete(grant)
    if (grant.token > this.lastReleased) this.lastReleased = grant.token
    assert.is(grant.release(), true)
    assert.is(grant.release(), false)
  }

  private change(): void {
    const all = [...this.waiting]
    const asked = all[this.random(all.length)]
    if (asked === undefined) return
    asked.isPlain = false
    if (this.random(2) === 0) asked.request.abort('aborted')
    else asked.request.upgrade('critical')
  }
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`a lock driven at random is never held by two, serves each tier in order, and settles all (seed ${seed})`, async () => {
    const drive = new Drive(randomFrom(seed))
    for (let step = 0; step < STEPS; step++) {
      drive.step()
      if (step % 3 === 0) await macrotask()
    }
    await drive.end()
  })
}

test.run()
