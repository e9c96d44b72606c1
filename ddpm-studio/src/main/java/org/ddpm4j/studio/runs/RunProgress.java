package org.ddpm4j.studio.runs;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * The file progress.json, which a training writes every few seconds.
 *
 * @param step steps that are done
 * @param steps of the whole training
 * @param loss mean of the newest losses
 * @param imagesPerSecond since this process began to train
 * @param secondsLeft until the last step or the time limit
 * @param process that trains
 * @param ended whether that process has ended its training in good order
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record RunProgress(
    @JsonProperty("step") long step,
    @JsonProperty("steps") long steps,
    @JsonProperty("loss") Double loss,
    @JsonProperty("images_per_second") double imagesPerSecond,
    @JsonProperty("seconds_left") double secondsLeft,
    @JsonProperty("process") long process,
    @JsonProperty("ended") boolean ended) {}
