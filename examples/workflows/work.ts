// The work itself: what a thread or a process is told to do, and does.
import { scryptSync } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

/** What is to be done, as it is told to the thread or the process that does it. */
export type Order =
  | { readonly kind: 'gzip'; readonly file: string }
  | { readonly kind: 'copy'; readonly file: string; readonly times: number }
  | { readonly kind: 'scrypt'; readonly password: string; readonly times: number }
  | { readonly kind: 'convolve'; readonly width: number; readonly height: number; readonly passes: number }

/** bytes that were written, or made */
export function work(order: Order): number {
  switch (order.kind) {
    case 'gzip':
      return gzip(order.file)
    case 'copy':
      return copy(order.file, order.times)
    case 'scrypt':
      return scrypt(order.password, order.times)
    case 'convolve':
      return convolve(order.width, order.height, order.passes)
  }
}

function gzip(file: string): number {
  const packed = gzipSync(readFileSync(file), { level: 9 })
  writeFileSync(`${file}.gz`, packed)
  return packed.length
}

const CHUNK = 2 ** 16

/** Copies in small pieces and waits for the disk, as a careful program does. */
function copy(file: string, times: number): number {
  const chunk = new Uint8Array(CHUNK)
  let bytes = 0
  for (let i = 0; i < times; i++) {
    const from = openSync(file, 'r')
    const to = openSync(`${file}.copy`, 'w')
    for (let read = readSync(from, chunk); read > 0; read = readSync(from, chunk)) bytes += writeSync(to, chunk, 0, read)
    fsyncSync(to)
    closeSync(to)
    closeSync(from)
  }
  return bytes
}

const SCRYPT = { N: 2 ** 14, r: 8, p: 1 }
const KEY_BYTES = 64

function scrypt(password: string, times: number): number {
  let bytes = 0
  for (let i = 0; i < times; i++) bytes += scryptSync(password, `salt ${i}`, KEY_BYTES, SCRYPT).length
  return bytes
}

/** A Gaussian blur of 5 x 5 as two passes of 5, the way image programs do it. */
const KERNEL = [1, 4, 6, 4, 1].map(weight => weight / 16)

function convolve(width: number, height: number, passes: number): number {
  let image = Float32Array.from({ length: width * height }, (_, i) => (i * 2654435761) % 256)
  for (let pass = 0; pass < passes; pass++) image = blur(blur(image, width, height, 1), width, height, width)
  return image.byteLength
}

function blur(image: Float32Array<ArrayBuffer>, width: number, height: number, stride: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(image.length)
  const last = width * height - 1
  for (let at = 0; at <= last; at++) {
    let sum = 0
    for (let k = 0; k < KERNEL.length; k++) sum += KERNEL[k] * image[Math.min(last, Math.max(0, at + (k - 2) * stride))]
    out[at] = sum
  }
  return out
}
