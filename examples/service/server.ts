// One process of the cluster: an HTTP server whose work is done by threads, as many at a time as the slots that all processes share.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Worker } from 'node:worker_threads'
import { open } from '../../lib/index.js'
import { type Answer, type Kind, SLOTS, WORK } from './messages.js'

const gov = open({ name: process.argv[2] })
const slots = gov.semaphore('slots', SLOTS)
const threads = Array.from({ length: SLOTS }, () => new Worker(new URL('./worker-entry.mjs', import.meta.url)))
const idle = [...threads]

async function serve(kind: Kind): Promise<Answer> {
  const { tier, rounds } = WORK[kind]
  const came = performance.now()
  // There is a thread for each slot, so whoever has a slot finds one.
  const slot = await slots.acquire(1, { tier, workflow: kind })
  const began = performance.now()
  const thread = idle.pop() as Worker
  try {
    thread.postMessage(rounds)
    await once(thread, 'message')
  } finally {
    idle.push(thread)
    slot.release()
  }
  return { waited: began - came, worked: performance.now() - began }
}

const server = createServer(async (request, response) => {
  const kind = request.url?.slice(1) ?? ''
  if (!Object.hasOwn(WORK, kind)) {
    response.writeHead(404).end()
    return
  }
  const answer = await serve(kind as Kind)
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
})

// The one message there is: nothing more will be asked for.
process.once('message', async () => {
  server.close()
  server.closeAllConnections()
  await Promise.all(threads.map(thread => thread.terminate()))
  await gov.close()
  process.disconnect()
})
server.listen(0, '127.0.0.1')
