import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Connect, Operation } from './driver.js'
import { keysOf } from './keys.js'

interface Limiter {
  consume(key: string): Promise<object>
}

interface Options {
  points: number
  duration: number
  /** none: the prefix is joined to the key at each call otherwise */
  keyPrefix: string
}

interface Package {
  RateLimiterMemory: new (options: Options) => Limiter
  RateLimiterCluster: new (options: Options) => Limiter
  RateLimiterClusterMaster: new () => object
  RateLimiterRedis: new (options: Options & { storeClient: object }) => Limiter
}

const PLENTY: Options = { points: 1e12, duration: 3600, keyPrefix: '' }

const load = async () => ((await import('rate-limiter-flexible' as string)) as { default: Package }).default

const ofOneKey =
  (limiter: Limiter): Operation =>
  async n => {
    let done = 0
    for (let i = 0; i < n; i++) {
      await limiter.consume('bench')
      done++
    }
    return done
  }

const ofKeys = (limiter: Limiter, count: number): Operation => {
  let keys: string[] | undefined
  let next = 0
  return async n => {
    if (keys === undefined) {
      keys = keysOf(count)
      for (const key of keys) await limiter.consume(key)
    }
    let done = 0
    for (let i = 0; i < n; i++) {
      await limiter.consume(keys[next] as string)
      if (++next === count) next = 0
      done++
    }
    return done
  }
}

export const connect: Connect = async () => {
  const { RateLimiterMemory } = await load()
  const limiter = new RateLimiterMemory(PLENTY)
  return { tokens: ofOneKey(limiter), keyed1k: ofKeys(limiter, 1_000), keyed1m: ofKeys(limiter, 1_000_000), close() {} }
}

export const redis: Connect = async setting => {
  const { RateLimiterRedis } = await load()
  const { Redis } = (await import('ioredis' as string)) as { Redis: new (port: number, host: string) => { disconnect(): void } }
  if (setting.redisPort === undefined) throw new Error('no redis-server was started')
  const storeClient = new Redis(setting.redisPort, '127.0.0.1')
  // Redis counts in 64 bits, but keys outlive the process.
  const limiter = new RateLimiterRedis({ ...PLENTY, keyPrefix: setting.folder, storeClient })
  return { tokens: ofOneKey(limiter), close: () => storeClient.disconnect() }
}

/** The limiter is in this process; who asks it is a worker of its cluster, which counts and says when it is done. */
export const clustered: Connect = async () => {
  const { RateLimiterClusterMaster } = await load()
  new RateLimiterClusterMaster()
  cluster.setupPrimary({ exec: fileURLToPath(import.meta.url), args: [], serialization: 'json' })
  const worker: Worker = cluster.fork()
  const answer = () =>
    new Promise<number>((resolve, reject) => {
      const hear = (message: { done?: number }) => {
        if (message.done === undefined) return
        worker.off('message', hear)
        worker.off('exit', reject)
        resolve(message.done)
      }
      worker.on('message', hear)
      worker.on('exit', reject)
    })
  await answer()
  return {
    tokens(n) {
      const done = answer()
      worker.send({ calls: n })
      return done
    },
    async close() {
      const ended = once(worker, 'exit')
      worker.disconnect()
      await ended
    }
  }
}

async function serve(): Promise<void> {
  const { RateLimiterCluster } = await load()
  const tokens = ofOneKey(new RateLimiterCluster({ ...PLENTY, keyPrefix: 'bench' }))
  await tokens(1)
  process.on('message', async (message: { calls?: number }) => {
    if (message.calls !== undefined) process.send?.({ done: await tokens(message.calls) })
  })
  process.send?.({ done: 1 })
}

if (cluster.isWorker) await serve()
