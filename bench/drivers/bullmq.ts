import { type Connect, nothing, RECORD_SIZE } from './driver.js'

interface Job {
  moveToCompleted(result: null, token: string, fetchNext: false): Promise<unknown>
}

interface Queue {
  add(name: string, data: object, options: object): Promise<unknown>
  close(): Promise<void>
}

interface Worker {
  getNextJob(token: string): Promise<Job | undefined>
  on(event: 'error', listener: (error: Error) => void): void
  waitUntilReady(): Promise<unknown>
  close(force?: boolean): Promise<void>
}

interface Package {
  Queue: new (name: string, options: object) => Queue
  Worker: new (name: string, processor: (() => Promise<void>) | undefined, options: object) => Worker
}

const OPTIONS = { removeOnComplete: true }

/** Its data is JSON: a text of as many characters as the others have bytes. */
export const connect: Connect = async setting => {
  const { Queue, Worker } = (await import('bullmq' as string)) as Package
  if (setting.redisPort === undefined) throw new Error('no redis-server was started')
  const name = setting.folder.replaceAll(/\W/g, '-')
  const connection = { host: '127.0.0.1', port: setting.redisPort, maxRetriesPerRequest: null }
  const record = { text: 'x'.repeat(RECORD_SIZE) }
  const queue = new Queue(name, { connection })
  let worker: Worker | undefined
  let arrived = nothing
  const asked = async () => {
    worker = new Worker(name, undefined, { connection, autorun: false })
    worker.on('error', nothing) // of the connection that is cut when it closes
    await worker.waitUntilReady()
    return worker
  }
  const served = async () => {
    worker = new Worker(name, async () => arrived(), { connection })
    worker.on('error', nothing)
    await worker.waitUntilReady()
  }
  return {
    async records(n) {
      const mine = worker ?? (await asked())
      let done = 0
      for (let i = 0; i < n; i++) {
        await queue.add('record', record, OPTIONS)
        const job = await mine.getNextJob('bench')
        if (job === undefined) continue
        await job.moveToCompleted(null, 'bench', false)
        done++
      }
      return done
    },
    pipe: {
      async send() {
        await queue.add('record', record, OPTIONS)
      },
      async receive() {
        const here = new Promise<void>(resolve => (arrived = resolve))
        if (worker === undefined) await served()
        await here
      }
    },
    async close() {
      await worker?.close(true)
      await queue.close()
    }
  }
}
