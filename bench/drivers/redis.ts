import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connect } from './driver.js'

interface Client {
  set(key: string, value: string, px: 'PX', ms: number, nx: 'NX'): Promise<'OK' | null>
  defineCommand(name: string, script: { numberOfKeys: number; lua: string }): void
  unlockIfMine(key: string, value: string): Promise<number>
  disconnect(): void
}

/** ms between two tries; clients of this kind wait 100 to 200, so this is to its favour */
const POLL_MS = 1
/** ms after which the server lets go of a holder that does not renew, as in the examples of the client libraries */
const TTL_MS = 5_000

const UNLOCK = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end`

/** The lock that the Redis manual describes: SET NX PX, and a script that deletes only one's own. */
export const connect: Connect = async setting => {
  const { Redis } = (await import('ioredis' as string)) as { Redis: new (port: number, host: string) => Client }
  if (setting.redisPort === undefined) throw new Error('no redis-server was started')
  const client = new Redis(setting.redisPort, '127.0.0.1')
  client.defineCommand('unlockIfMine', { numberOfKeys: 1, lua: UNLOCK })
  const key = `${setting.folder}/lock-${setting.lock}`
  let mine = ''

  async function take(): Promise<void> {
    mine = randomUUID()
    while ((await client.set(key, mine, 'PX', TTL_MS, 'NX')) === null) await sleep(POLL_MS)
  }

  return {
    peer: {
      hold: take,
      wait: take,
      async release() {
        if ((await client.unlockIfMine(key, mine)) !== 1) throw new Error('the lock was lost')
      }
    },
    close: () => client.disconnect()
  }
}
