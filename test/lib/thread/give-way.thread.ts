import { readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { parentPort } from 'node:worker_threads'
import { giveWay } from '../../../lib/thread/give-way.js'
import { placeOf } from './threads.js'

const thread = Number(basename(readlinkSync('/proc/thread-self')))
const before = placeOf(thread)
giveWay(3)
const once = placeOf(thread)
giveWay(19)
parentPort?.postMessage([before, once, placeOf(thread)])
