//! As written.
pub(in crate::config) mod tree;
#[cfg(test)]
mod x {
    #[test]
    fn show() {
        for t in ["", "# c\n", "a: 5\nb: \"q\\n\"\nc: 'x y'\nd: plain # c\ne: [1, 2]\nf: {x: 1}\ng: |\n  many\n  lines\na: 0755\nh:\ni: no\n j", "a: &x {b: 1}\nc:\n  <<: *x\n  d: *x", "a: \"q\\n\"\nc: 'x y'\nd: plain # c\ne: [1, 2]\nh:\ni: no\na: 0755\nk: 0x1F\ng: |\n  many\n  lines\n",
          "a:\n\tb: 1\n", "a: [1, 2\nb: 3", "a: \"x", "a: !foo x", "--- \na: 1\n---\nb: 2", "a: *x", "? [a]\n: 1", "a: b: c", "a: .nan", "a: 1\n b: 2"] {
            println!("---- {t:?}\n{:?}", super::tree::parse(t));
        }
        let deep = "[".repeat(100000); println!("{:?}", super::tree::parse(&deep));
        let deep = format!("a: {}1", "{b: ".repeat(30)); println!("{:?}", super::tree::parse(&deep).map(|_|()));
        let deep: String = (0..200).map(|i| format!("{}a:\n", " ".repeat(i))).collect(); println!("{:?}", super::tree::parse(&deep).map(|_|()));
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"); for i in 1..10 { bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i-1); 10].join(", ")); }
        println!("{:?}", super::tree::parse(&bomb).map(|_|()));
    }
}
