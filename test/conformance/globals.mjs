/** The globals of a web worker, as far as the Web Locks tests use them, in the main thread or in a worker thread. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import vm from 'node:vm'
import { Agent } from './agent.mjs'

/** URLs that the server of web-platform-tests maps to other files. */
const ALIASES = { '/resources/WebIDLParser.js': '/resources/webidl2/lib/webidl2.js' }

/** The file behind a URL: absolute ones from the root of the suite, others from the folder of the test. */
export function resolveUrl(root, base, url) {
  return url.startsWith('/') ? join(root, ALIASES[url] ?? url) : join(base, url)
}

export function runScript({ filename, text }) {
  vm.runInThisContext(text, { filename })
}

/** Listeners on the global: called with `this` as the global, as in a worker. */
function defineEvents() {
  const listeners = new Map()
  self.addEventListener = (type, listener) => {
    if (!listeners.has(type)) listeners.set(type, new Set())
    listeners.get(type).add(listener)
  }
  self.removeEventListener = (type, listener) => listeners.get(type)?.delete(listener)
  self.dispatchEvent = event => {
    for (const listener of [...(listeners.get(event.type) ?? [])]) listener.call(self, event)
    return true
  }
}

export function define(name, value) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
}

export function defineGlobals({ root, base, module, pathname, locks }) {
  define('self', globalThis)
  defineEvents()
  class WorkerNavigator {
    #locks = locks.manager
    get locks() {
      return this.#locks
    }
  }
  Object.defineProperty(WorkerNavigator.prototype, 'locks', { enumerable: true })
  // Node has a global navigator since 21, of an interface that workers do not have.
  Reflect.deleteProperty(globalThis, 'Navigator')
  define('WorkerNavigator', WorkerNavigator)
  define('navigator', new WorkerNavigator())
  define('LockManager', locks.LockManager)
  define('Lock', locks.Lock)
  define('isSecureContext', true)
  define('location', { pathname, href: `https://web-platform.test${pathname}`, search: '' })
  define('fetch', async url => ({ ok: true, text: () => readFile(resolveUrl(root, base, url), 'utf8') }))
  define(
    'Worker',
    class extends Agent {
      constructor(url) {
        super({ root, base, module, script: resolveUrl(root, base, url) })
      }
    }
  )
  define('importScripts', (...urls) => {
    for (const url of urls) {
      const filename = resolveUrl(root, base, url)
      runScript({ filename, text: readFileSync(filename, 'utf8') })
    }
  })
}

/** The IDL harness asks which kind of global this is. To be called after testharness.js, which shall take it for a plain shell. */
export function defineWorkerScope() {
  function DedicatedWorkerGlobalScope() {}
  Object.defineProperty(DedicatedWorkerGlobalScope, Symbol.hasInstance, { value: value => value === globalThis })
  define('DedicatedWorkerGlobalScope', DedicatedWorkerGlobalScope)
}
