// A thread that works: real CPU time, and nothing else.
import { pbkdf2Sync } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', (rounds: number) => {
  pbkdf2Sync('forelock', 'salt', rounds, 32, 'sha256')
  parentPort?.postMessage('done')
})
