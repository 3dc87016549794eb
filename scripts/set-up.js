// Makes a fresh clone ready for everything that runs tor on this machine.
import './build.js';
import './provide-tor.js';
