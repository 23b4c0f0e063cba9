/** Worker thread or child process of web-locks.agents.ts: requests locks as it is told, and reports what becomes of them. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { register } from 'tsx/esm/api'

register()
const { open } = await import('../../lib/index.ts')

const port = isMainThread ? process : parentPort
const send = message => (isMainThread ? process.send(message) : parentPort.postMessage(message))
const gov = open(isMainThread ? JSON.parse(process.argv[2]) : workerData)
const { locks } = gov
const held = new Map()

const operations = {
  request({ id, name, options }) {
    const callback = lock => {
      send({ id, event: 'called', lock: lock && { name: lock.name, mode: lock.mode } })
      return new Promise(resolve => held.set(id, resolve))
    }
    locks.request(name, options, callback).then(
      value => send({ id, event: 'resolved', value }),
      error => send({ id, event: 'rejected', error: error.name })
    )
    // The request is in the queue now: the parent may go on.
    send({ id, event: 'requested' })
  },
  release({ id, value }) {
    held.get(id)(value)
  },
  async query({ id }) {
    send({ id, event: 'snapshot', snapshot: await locks.query() })
  }
}

port.on('message', message => operations[message.op](message))
send({ id: 0, event: 'ready', client: gov.client })
