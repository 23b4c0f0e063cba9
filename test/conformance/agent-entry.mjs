import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { defineGlobals, runScript } from './globals.mjs'
import { loadLocks } from './locks.mjs'

const { root, module, script } = workerData
const INLINE = /<script>([\s\S]*?)<\/script>/

/** A frame's page is HTML with one inline script; its parent is whoever started this thread. */
function scriptText() {
  const text = readFileSync(script, 'utf8')
  return script.endsWith('.html') ? INLINE.exec(text)[1] : text
}

// Messages wait in the port until the script has added its listener, as they do in a browser.
defineGlobals({ root, base: dirname(script), module, pathname: script.slice(root.length), locks: await loadLocks(module) })
globalThis.postMessage = data => parentPort.postMessage({ data })
globalThis.parent = globalThis
runScript({ filename: script, text: scriptText() })
parentPort.on('message', data => self.dispatchEvent(Object.assign(new Event('message'), { data })))
parentPort.postMessage({ ready: true })
