// media-chrome moves the time bar sixty times a second, while it is shown, and has the page laid out as often: for an hour, on a tablet.
// The film says four times a second where it is, and the bar is moved then too.
import { RangeAnimation } from "media-chrome/dist/utils/range-animation.js";

RangeAnimation.prototype.start = () => undefined;
