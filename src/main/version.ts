/** Version of the engine, its image and its CLI; the same as in package.json, which a test compares. */
export const version = '0.1.0'
