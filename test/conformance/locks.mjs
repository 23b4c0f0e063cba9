import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The lock manager under test and its interface objects. `module`: '--native' for Node's own, '' for this package, or a file. */
export async function loadLocks(module) {
  const manager = module === '--native' ? globalThis.navigator.locks : (await importModule(module)).open().locks
  return { manager, LockManager: manager.constructor, Lock: await manager.request('interface object', lock => lock.constructor) }
}

async function importModule(module) {
  if (module === '') return import('forelock')
  // Registered here and not by --import, which does not reach worker threads.
  if (module.endsWith('.ts')) (await import('tsx/esm/api')).register()
  return import(pathToFileURL(resolve(module)).href)
}
