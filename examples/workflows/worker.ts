// One order, done in a worker thread or a child process of its own.
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { Meter } from '../../lib/index.js'
import { cpuOfThisThread } from './kernel.js'
import { type Order, work } from './work.js'

if (isMainThread) {
  work(JSON.parse(process.argv[2] ?? '') as Order)
} else {
  // A thread that uses forelock is known to those who meter it from the outside; this one has no other use for it.
  new Meter('thread', { level: 'time' }).close()
  work(workerData as Order)
  parentPort?.postMessage(cpuOfThisThread())
}
