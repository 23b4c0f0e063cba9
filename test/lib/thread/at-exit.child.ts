// Ends in one of the ways in which a process ends by itself, with threads that have something to write.
import { once } from 'node:events'
import { newEnd, waitAtExit } from '../../../lib/thread/at-exit.js'
import { startThread } from '../../../lib/thread/start.js'

const listeners = process.listenerCount('exit')
const [how, ...files] = process.argv.slice(2) as [string, ...string[]]
for (const file of files) {
  const end = newEnd()
  const worker = startThread(new URL('at-exit.thread', import.meta.url).pathname, 'writer', { end, file })
  await once(worker, 'message')
  worker.once(
    'exit',
    waitAtExit(end, () => worker.postMessage('end'))
  )
  worker.unref()
  if (how === 'ended before') {
    worker.ref()
    worker.postMessage('end')
    await once(worker, 'exit')
    if (process.listenerCount('exit') !== listeners) process.exitCode = 9
  }
}
if (how === 'exit') process.exit(3)
if (how === 'throw') throw new Error('thrown')
