import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type * as Forelock from '../../lib/index.js'
import { type Connect, Countdown, nothing, type Operation, type Setting } from './driver.js'

type Governor = ReturnType<typeof Forelock.open>
type Lock = ReturnType<Governor['lock']>
type Grant = Awaited<ReturnType<Lock['acquire']>>

const TIERS = ['background', 'standard', 'interactive', 'critical']

/** The named arena of a trial, alone in its folder. */
export const arenaOf = ({ folder }: Setting) => ({ name: 'bench', dir: folder })

/** The file behind it. */
export function arenaFile({ folder }: Setting): string {
  const file = existsSync(folder) ? readdirSync(folder).find(name => name.includes('bench')) : undefined
  if (file === undefined) throw new Error(`no arena in ${folder}`)
  return join(folder, file)
}

export const load = async ({ module }: Setting) => (await import(module)) as typeof Forelock

export const connect: Connect = async setting => {
  const { open } = await load(setting)
  const gov = open(arenaOf(setting))
  const name = `lock-${setting.lock}`
  const lock = gov.lock(name)
  let held: Grant | undefined

  async function take(): Promise<void> {
    held = await lock.acquire()
  }

  return {
    tryPairs(n) {
      let done = 0
      for (let i = 0; i < n; i++) {
        const grant = lock.tryAcquire()
        if (grant?.release()) done++
      }
      return done
    },
    async awaitPairs(n) {
      let done = 0
      for (let i = 0; i < n; i++) {
        const grant = await lock.acquire()
        if (grant.release()) done++
      }
      return done
    },
    async requestPairs(n) {
      let done = 0
      for (let i = 0; i < n; i++) {
        await gov.locks.request(name, nothing)
        done++
      }
      return done
    },
    waiters: queueBehind(lock, () => lock.acquire()),
    tieredWaiters: queueBehind(lock, i => lock.acquire({ tier: TIERS[i & 3] })),
    async queue(n) {
      const middle = n >> 1
      const abort = new AbortController()
      const behind = queueBehind(lock, i => (i === middle ? lock.acquire({ signal: abort.signal }) : lock.acquire()))
      return behind(n, () => abort.abort())
    },
    peer: {
      hold: take,
      wait: take,
      release() {
        if (held?.release() !== true) throw new Error('the grant was lost')
      }
    },
    close: () => gov.close()
  }
}

/** Requests that wait for a holder, then are served; one that is aborted counts as served by its rejection. */
function queueBehind(lock: Lock, request: (i: number) => Promise<Grant>): (n: number, queued?: () => void) => ReturnType<Operation> {
  return async (n, queued) => {
    const holder = lock.tryAcquire()
    if (holder === null) throw new Error('the lock is not free')
    const countdown = new Countdown(n)
    let aborted = 0
    const serve = (grant: Grant) => {
      grant.release()
      countdown.done()
    }
    const giveUp = (reason: unknown) => {
      if (queued === undefined || aborted++ > 0) countdown.fail(reason)
      else countdown.done()
    }
    for (let i = 0; i < n; i++) request(i).then(serve, giveUp)
    queued?.()
    holder.release()
    await countdown.over
    return n
  }
}
