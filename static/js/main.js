// What a script adds to pages that work without one. No markup is ever made from text:
// the policy of the pages forbids it (trusted-types 'none').
import "./zone.js";
import "./offline.js";
import "./offline/page.js";
import "./offline/write.js";
import "./frames.js";
import "./outside.js";
import "./talk.js";
import "./list.js";
import "./swipe.js";
import "./live.js";
import "./compose.js";
import "./floats.js";
import "./search.js";
import "./keys.js";
import "./passkeys.js";
