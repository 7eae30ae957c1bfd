cd ..
asv machine --yes
asv find "$GOOD~..$BAD" track.Script.track_cpu_seconds
