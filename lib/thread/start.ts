import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { PrivacyOptions } from '../access/privacy.js'
import type { Session } from '../session.js'

/** What a thread or a process joins the arena of a session by: options of `open()`. */
export type ThreadArena = ({ readonly handle: string } | { readonly name: string; readonly dir?: string }) & {
  readonly privacy: PrivacyOptions
}

export function arenaOf({ binding, dir, privacy: { options: privacy } }: Session): ThreadArena {
  if (binding.handle !== '') return { handle: binding.handle, privacy }
  return { name: binding.name, privacy, ...(dir !== undefined && { dir }) }
}

/** In a checkout the sources run by tsx, which a thread does not inherit on every Node. */
const fromSource = (module: string) => `import('tsx/esm/api').then(({ register }) => {
  register()
  return import(${JSON.stringify(`${module}.ts`)})
})`

/**
 * A thread of a module of the library.
 *
 * @param module its path without an extension
 */
export function startThread(module: string, name: string, workerData: unknown): Worker {
  // Without what the process was started with: a preload is the user's, and would run a second time.
  const options = { workerData, execArgv: [], name }
  const built = `${module}.js`
  return existsSync(built) ? new Worker(built, options) : new Worker(fromSource(module), { ...options, eval: true })
}

/**
 * A process of a module of the library, with a channel to it by which go what structured cloning can copy. Its working directory and environment are those of
 * this one as they are now, its standard error is shared.
 *
 * @param module its path without an extension
 */
export function startProcess(module: string): ChildProcess {
  // As for a thread; and options would come by the environment, too.
  const { NODE_OPTIONS: _, ...env } = process.env
  const built = `${module}.js`
  const source = `${module}.ts`
  const runsSource = !existsSync(built) && existsSync(source)
  const execArgv = runsSource ? ['--import', pathToFileURL(createRequire(module).resolve('tsx')).href] : []
  return fork(runsSource ? source : built, [], { execArgv, env, serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
}
