//! Numbers with names: each enumeration that appears in a register, a completion or on the trace port.

/// Declares an enumeration with its codes, C names and one-line meanings, so that the four cannot drift apart.
macro_rules! codes {
    ($(#[$outer:meta])* $name:ident { $($variant:ident = $code:literal, $text:literal, $doc:literal;)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $(#[doc = $doc] $variant = $code,)* }

        impl $name {
            /// Every value, by code.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The number in hardware.
            pub const fn code(self) -> u32 {
                self as u32
            }

            /// The value of a number; none for a number that is not defined.
            pub const fn from_code(code: u32) -> Option<Self> {
                match code {
                    $($code => Some($name::$variant),)*
                    _ => None,
                }
            }

            /// Name as in the C header and the manual.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            /// Meaning, one line.
            pub const fn doc(self) -> &'static str {
                match self { $($name::$variant => $doc,)* }
            }
        }
    };
}
pub(crate) use codes;

codes! {
    /// Type of a completion entry.
    EntryType {
        Stop = 0, "STOP", "the queue has stopped; nothing follows";
        Pkt = 1, "PKT", "one packet";
        Ext = 2, "EXT", "one more buffer of the packet before it";
        Buf = 3, "BUF", "a buffer comes back without (more) data";
    }
}

codes! {
    /// Why a train was closed.
    Reason {
        None = 0, "NONE", "not of a watched flow";
        Single = 1, "SINGLE", "merge mode off";
        Timer = 2, "TIMER", "the defer timer ran out";
        MaxAggr = 3, "MAX_AGGR", "as many packets as allowed, or no room for the next one's entries";
        MaxBytes = 4, "MAX_BYTES", "as many bytes as allowed, or the next packet would exceed them";
        Seq = 5, "SEQ", "sequence gap or old segment";
        Flag = 6, "FLAG", "FIN, SYN, RST or URG";
        Header = 7, "HEADER", "a header field differs (merging modes)";
        IpId = 8, "IP_ID", "the IP ID breaks the series (merging modes)";
        Csum = 9, "CSUM", "a bad checksum, or one that was not checked";
        Short = 10, "SHORT", "no payload";
        Page = 11, "PAGE", "a page's edge (page_split)";
        Evict = 12, "EVICT", "the flow lost its entry to another";
        FlushAll = 13, "FLUSH_ALL", "command FLUSH_ALL";
        FlushFlow = 14, "FLUSH_FLOW", "command FLUSH_FLOW";
        Poll = 15, "POLL", "command POLL: the host's end of poll";
        NoBuffer = 16, "NO_BUFFER", "the next frame found no buffer";
        Stop = 17, "STOP", "command STOP";
    }
}

codes! {
    /// How a buffer came back in a BUF entry.
    BufStatus {
        Released = 1, "RELEASED", "used up to the fill pointer, and will not be used further";
        Unused = 2, "UNUSED", "never used";
        BadDesc = 3, "BAD_DESC", "its descriptor breaks a rule";
    }
}

codes! {
    /// Verdict on a checksum.
    Csum {
        None = 0, "NONE", "not checked";
        Good = 1, "GOOD", "good";
        Bad = 2, "BAD", "bad";
    }
}

codes! {
    /// Network protocol.
    L3 {
        None = 0, "NONE", "unknown";
        V4 = 1, "IPV4", "IPv4";
        V6 = 2, "IPV6", "IPv6";
    }
}

codes! {
    /// Transport protocol.
    L4 {
        None = 0, "NONE", "unknown";
        Tcp = 1, "TCP", "TCP";
        Udp = 2, "UDP", "UDP";
    }
}

codes! {
    /// Merge mode of a queue (`Q_MERGE`).
    MergeMode {
        Off = 0, "OFF", "every packet its own train";
        Train = 1, "TRAIN", "in-order segments of a watched flow join";
    }
}

codes! {
    /// Command of a queue (`Q_CMD`).
    Command {
        FlushAll = 1, "FLUSH_ALL", "close every open train";
        Poll = 2, "POLL", "the host's end of poll: close every open train";
        FlushFlow = 3, "FLUSH_FLOW", "close the train of the flow in Q_KEY";
        Stop = 4, "STOP", "close all trains, return all buffers, stop";
    }
}

codes! {
    /// Record on the trace port (`stat_evt_*`): the order of events that the model replays.
    EventCode {
        Frame = 0, "FRAME", "a frame was processed; argument rx_seq";
        DropNoBuffer = 1, "DROP_NO_BUFFER", "a frame was dropped for want of buffers; argument rx_seq";
        Timer = 2, "TIMER", "a train's timer ran out; argument slot";
        FlushAll = 3, "FLUSH_ALL", "command FLUSH_ALL was executed";
        Poll = 4, "POLL", "command POLL was executed";
        FlushFlow = 5, "FLUSH_FLOW", "command FLUSH_FLOW was executed";
        Stop = 6, "STOP", "command STOP: trains closed, held pages released";
        BadSmall = 7, "BAD_SMALL", "a bad descriptor of the small ring came back";
        BadPage = 8, "BAD_PAGE", "a bad descriptor of the page ring came back";
        UnusedSmall = 9, "UNUSED_SMALL", "a posted small buffer came back";
        UnusedPage = 10, "UNUSED_PAGE", "a posted page came back";
        Stopped = 11, "STOPPED", "the STOP entry";
    }
}

/// Bits of an event's argument on the trace port.
pub const EVENT_ARG_BITS: usize = 16;
