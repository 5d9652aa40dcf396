package io.llava4j.app.serve.request;

import java.net.Inet4Address;
import java.net.InetAddress;

/** Which addresses belong to the public internet (the special-purpose registries of RFC 6890 and its updates). */
final class PublicAddresses {
    private PublicAddresses() {}

    /** Whether a server may connect to the address for a client it does not trust. */
    static boolean isPublic(InetAddress address) {
        if (address.isAnyLocalAddress()
                || address.isLoopbackAddress()
                || address.isLinkLocalAddress()
                || address.isSiteLocalAddress()
                || address.isMulticastAddress()) {
            return false;
        }
        byte[] bytes = address.getAddress();
        return address instanceof Inet4Address ? isPublicV4(bytes) : isPublicV6(bytes);
    }

    private static boolean isPublicV4(byte[] b) {
        int first = b[0] & 0xff;
        int second = b[1] & 0xff;
        int third = b[2] & 0xff;
        boolean special = first == 0
                || first >= 240
                || first == 100 && second >= 64 && second < 128 // shared by providers
                || first == 192 && second == 0 && (third == 0 || third == 2)
                || first == 192 && second == 88 && third == 99 // relays from IPv6
                || first == 198 && (second == 18 || second == 19) // benchmarks
                || first == 198 && second == 51 && third == 100
                || first == 203 && second == 0 && third == 113;
        return !special;
    }

    /** Global unicast, without what stands for an IPv4 address or is for documentation. */
    private static boolean isPublicV6(byte[] b) {
        int first = (b[0] & 0xff) << 8 | b[1] & 0xff;
        int second = (b[2] & 0xff) << 8 | b[3] & 0xff;
        boolean global = (first & 0xe000) == 0x2000;
        boolean special = first == 0x2001 && (second < 0x200 || second == 0xdb8)
                || first == 0x2002 // 6to4
                || first == 0x3fff;
        return global && !special;
    }
}
