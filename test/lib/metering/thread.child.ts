// A worker thread that uses forelock, is told to be busy, and ends when it is told so.
import { parentPort, threadId, workerData } from 'node:worker_threads'
import { Meter } from '../../../lib/index.js'
import { burnThread } from './support.js'

if (workerData.known !== false) new Meter({ thread: threadId }).close()
parentPort?.on('message', (ms: number) => {
  if (ms < 0) process.exit()
  burnThread(ms)
  using own = new Meter('thread')
  const reading = new Float64Array(own.length)
  own.read(reading, 0)
  parentPort?.postMessage([...reading])
})
parentPort?.postMessage('ready')
