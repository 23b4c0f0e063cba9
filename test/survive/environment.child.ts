// A process that does one thing with a governor, as it is told by its first argument, and then ends as Node ends it.
import { setTimeout as later } from 'node:timers/promises'
import { isForelockError, open } from '../../lib/index.js'

const [what, dir, name] = process.argv.slice(2) as [string, string, string]
const gov = open({ name, dir })
const lock = gov.lock('a')

/** Any other is an unhandled rejection, which the exit code tells. */
function timedOut(error: unknown): void {
  if (!isForelockError(error) || error.code !== 'ERR_FORELOCK_TIMEOUT') throw error
}

switch (what) {
  case 'idle':
    lock.tryAcquire()?.release()
    console.log('idle')
    break
  case 'pending':
    // Nothing but the wait keeps the loop alive; the parent holds the lock for a while.
    lock.acquire().then(grant => {
      console.log('granted')
      grant.release()
    })
    process.send?.('waiting')
    break
  case 'exit':
    for (let i = 0; i < 50; i++) lock.acquire()
    gov.lock('b').tryAcquire()
    process.exit(7)
    break
  case 'throw':
    gov.lock('b').tryAcquire()
    lock.acquire()
    throw new Error('on purpose')
  case 'burst': {
    // Calls from the waker thread are on their way while the environment ends.
    const other = open({ name, dir })
    for (let i = 0; i < 200; i++) lock.acquire({ waitTimeout: i % 5 }).catch(timedOut)
    other.lock('a').tryAcquire()?.release()
    await later(3)
    process.exit(0)
  }
}
