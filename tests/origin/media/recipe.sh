#!/bin/sh
# Makes the test media of this folder. Needs ffmpeg (made with 5.1, libx264, native AAC) and a DejaVu font. Run: sh recipe.sh
#
# 60.000 s of a test picture with a clock, 25 fps, closed GOPs of exactly 2 s (50 frames, each starting with an IDR), no B-frames, so that decoding order is
# display order and every segment covers exactly its own 2 s. Three video renditions, one audio rendition, one with both; each as one MPEG-TS and one fMP4
# file, cut by the hls muxer (`single_file`), whose index (`*.m3u8`: EXTINF and byte ranges) is committed beside it and read by the crate.
#
# Audio is AAC-LC, 32 kHz, mono: a frame is 1024 samples = 32 ms exactly, and 1875 frames are 60.000 s exactly, so that loops never drift against the video.
# The encoder puts one priming frame (1024 samples) before its input. We take those samples off the source, so that the tone lies where the picture says,
# and keep exactly the first 1875 frames, trailing flush frames excluded. A beep of 100 ms starts with each second of the clock.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quiet="-hide_banner -loglevel error -nostdin -y"
exact="-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1"

tone="0.1*sin(2*PI*220*t)+0.4*sin(2*PI*880*t)*lt(mod(t\,1)\,0.1)"
# shellcheck disable=SC2086
ffmpeg $quiet -f lavfi -i "aevalsrc=$tone:s=32000:d=62" -af "atrim=start_sample=1024,asetpts=N/SR/TB" \
  -c:a aac -b:a 48k -ac 1 -frames:a 1875 $exact -f adts "$work/audio.aac"

video() { # name size profile level bitrate_kbit
  # shellcheck disable=SC2086
  ffmpeg $quiet -f lavfi -i "testsrc2=size=$2:rate=25:duration=60" \
    -vf "drawtext=font=DejaVu Sans Mono:text='%{pts\:hms}  $1 $2':fontsize=h/9:fontcolor=white:box=1:boxcolor=black@0.8:x=(w-tw)/2:y=h*0.78,format=yuv420p" \
    -c:v libx264 -preset veryslow -profile:v "$3" -level:v "$4" -bf 0 -g 50 -keyint_min 50 -sc_threshold 0 \
    -x264-params "open-gop=0:aud=1:colorprim=bt709:transfer=bt709:colormatrix=bt709" -threads 1 \
    -b:v "$5k" -maxrate "$(($5 * 5 / 4))k" -bufsize "$5k" -frames:v 1500 $exact -f h264 "$work/$1.264"
}
video v360 640x360 high 3.0 240
video v270 480x270 main 2.1 140
video v180 320x180 baseline 1.3 80
video av270 480x270 main 2.1 140

package() { # name inputs...
  name=$1; shift
  for container in ts fmp4; do
    case $container in
      ts) type=mpegts; file=$name.ts; options="" ;;
      fmp4) type=fmp4; file=$name.mp4; options="-hls_segment_options movflags=+cmaf"
        case $name in audio | av*) options="$options -bsf:a aac_adtstoasc" ;; esac ;;
    esac
    # shellcheck disable=SC2086
    ffmpeg $quiet "$@" -c copy $exact -f hls -hls_time 2 -hls_list_size 0 -hls_playlist_type vod -hls_segment_type $type \
      -hls_flags single_file $options -hls_segment_filename "$file" "$file.m3u8"
  done
}
package v360 -r 25 -f h264 -i "$work/v360.264"
package v270 -r 25 -f h264 -i "$work/v270.264"
package v180 -r 25 -f h264 -i "$work/v180.264"
package audio -i "$work/audio.aac"
package av270 -r 25 -f h264 -i "$work/av270.264" -i "$work/audio.aac" -map 0:v -map 1:a
ls -l ./*.ts ./*.mp4
