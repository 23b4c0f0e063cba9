// Writes a file when it is told to end, which takes libuv's pool some turns, and ends.
import { appendFile } from 'node:fs/promises'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { sayEnd } from '../../../lib/thread/at-exit.js'

const port = parentPort as MessagePort
sayEnd(workerData.end)
port.once('message', async () => {
  for (const part of ['all ', 'of ', 'it']) await appendFile(workerData.file, part)
})
port.postMessage('ready')
