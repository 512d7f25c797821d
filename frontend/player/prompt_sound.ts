// hls.js 1.7.4 holds the sound's first segment until the picture's is read, which says where the film's clock begins; then it
// means to go on at once and waits for its next turn instead, up to 100 ms, and without sound there is no first frame.
import Hls from "hls.js";

const Sound = Hls.DefaultConfig.audioStreamController;
if (!Sound) throw new Error("hls.js was built without a controller for sound");

export class PromptSound extends Sound {
  override onInitPtsFound(...found: Parameters<InstanceType<typeof Sound & object>["onInitPtsFound"]>): void {
    super.onInitPtsFound(...found);
    if (this.state === "WAITING_INIT_PTS") this.tickImmediate();
  }
}
