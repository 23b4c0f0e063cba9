import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { here } from './native/here.js'

/** In a checkout the sources run by tsx, which a thread does not inherit on every Node. */
const fromSource = (path: string) => `import('tsx/esm/api').then(({ register }) => {
  register()
  return import(${JSON.stringify(`${path}.ts`)})
})`

/**
 * Starts a thread of a module of this package.
 *
 * @param module its path below lib, without an extension
 */
export function startThread(module: string, options: Pick<WorkerOptions, 'workerData' | 'name'>): Worker {
  const path = join(here, '..', module)
  // Without what the process was started with: a preload is the user's, and would run a second time.
  const all = { ...options, execArgv: [] }
  return existsSync(`${path}.js`) ? new Worker(`${path}.js`, all) : new Worker(fromSource(path), { ...all, eval: true })
}
