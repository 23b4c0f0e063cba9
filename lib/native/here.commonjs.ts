/** The folder of this module, in the CommonJS build. */
export const here = __dirname
